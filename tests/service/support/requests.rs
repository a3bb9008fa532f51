//! Requests to a server under test.

use reqwest::blocking::RequestBuilder;
use serde_json::Value;

use super::{Response, Server, TestClient};

impl Server {
    /// Sends a request, which must get a response.
    pub fn send(&self, request: RequestBuilder) -> Response {
        Response::of(request.send().unwrap())
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Response {
        self.send(self.http.get(format!("{}{path}", self.url)))
    }

    /// `POST` of a form, authenticated by Basic.
    pub fn post_form(&self, path: &str, client: &TestClient, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.url));
        self.send(request.basic_auth(&client.id, Some(&client.secret)).form(form))
    }

    /// Asks production for a token.
    pub fn token(&self, client: &TestClient) -> Response {
        self.post_form("/api/oauth/token", client, &[("grant_type", "client_credentials")])
    }

    /// A bearer token for production's management API.
    pub fn management_token(&self, client: &TestClient) -> String {
        self.management_token_of("production", client)
    }

    /// A bearer token for the management API of an environment.
    pub fn management_token_of(&self, environment: &str, client: &TestClient) -> String {
        let prefix = if environment == "production" { String::new() } else { format!("/{environment}") };
        let public =
            self.settings.iter().rev().find(|(name, _)| name == "PUBLIC_URL").map_or(&self.url, |(_, url)| url);
        let resource = format!("{}{prefix}/api/v1", public.trim_end_matches('/'));
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let response = self.post_form(&format!("{prefix}/api/oauth/token"), client, &form);
        response.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", response.text)).to_owned()
    }

    /// Calls the management API.
    pub fn api(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Response {
        self.call(method, path, body, |request| request.bearer_auth(token))
    }

    /// Calls the management API with an API key.
    pub fn api_with_key(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> Response {
        self.call(method, path, body, |request| request.header("x-api-key", key))
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        authorize: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Response {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = authorize(self.http.request(method, format!("{}/api/v1{path}", self.url)));
        self.send(match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// Audit events that fit the options of `audit list`, newest first.
    pub fn events(&self, options: &[&str]) -> Vec<Value> {
        super::events::events(&self.database, options)
    }
}
