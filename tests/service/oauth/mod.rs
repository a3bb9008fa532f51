//! The protocol below `/api/oauth` and `/.well-known`. Every test names the section of the standard that it proves.

mod authentication;
mod bad_input;
mod digests;
mod forgeries;
mod introspect;
mod jwks;
mod metadata;
mod revoke;
mod timing;
mod token;
mod token_typ;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

pub use forgeries::forgeries;

use crate::support::{Database, Response, Server, TestClient};

const FORM: &str = "application/x-www-form-urlencoded";

/// The environments with the path of each issuer below the public URL.
const ENVIRONMENTS: [(&str, &str); 3] = [("production", ""), ("staging", "/staging"), ("development", "/development")];

/// A server in this process.
fn start(database: Database, settings: &[(&str, &str)]) -> Server {
    Server::start_with(database, settings)
}

/// A server as a process, for tests of its log.
fn spawn(database: Database, settings: &[(&str, &str)]) -> Server {
    Server::spawn_with(database, settings)
}

/// A client with further options of `client create`.
pub fn client(server: &Server, scopes: &str, options: &[&str]) -> TestClient {
    server.client_with(scopes, options)
}

/// `Authorization: Basic` as a client sends it whose id and secret need no encoding.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// Asks the issuer at `prefix` for a token that must be granted.
fn grant(server: &Server, prefix: &str, client: &TestClient, form: &[(&str, &str)]) -> Response {
    let form = [&[("grant_type", "client_credentials")], form].concat();
    let response = server.post_form(&format!("{prefix}/api/oauth/token"), client, &form);
    assert_eq!(response.status, 200, "{form:?}: {}", response.text);
    response
}

/// A token of production, granted without further wishes.
fn token(server: &Server, client: &TestClient) -> String {
    access_token(&grant(server, "", client, &[])).to_owned()
}

fn access_token(response: &Response) -> &str {
    response.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", response.text))
}

fn introspect(server: &Server, prefix: &str, client: &TestClient, token: &str) -> Response {
    server.post_form(&format!("{prefix}/api/oauth/introspect"), client, &[("token", token)])
}

fn revoke(server: &Server, prefix: &str, client: &TestClient, token: &str) -> Response {
    server.post_form(&format!("{prefix}/api/oauth/revoke"), client, &[("token", token)])
}

/// Whether `client` is told that `token` is in force; what is not in force gets the one response, and nothing beside
/// it.
fn is_active(server: &Server, client: &TestClient, token: &str) -> bool {
    let response = introspect(server, "", client, token);
    assert_eq!(response.status, 200, "{}", response.text);
    let is_active = response.body["active"].as_bool().unwrap();
    assert!(is_active || response.text == r#"{"active":false}"#, "{}", response.text);
    is_active
}

/// The header and the claims of a token, unverified.
fn parts(token: &str) -> (Value, Value) {
    let part = |at: usize| {
        let text = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

/// The public keys of the issuer at `prefix`.
fn published_keys(server: &Server, prefix: &str) -> Vec<Value> {
    server.get(&format!("{prefix}/.well-known/jwks.json")).body["keys"].as_array().unwrap().clone()
}

/// The claims of a token that verifies against `keys`, as any library would do it: the key is found by `kid`, and the
/// algorithm is the key's own (RFC 8725 §3.1).
fn verified(token: &str, keys: &[Value]) -> Option<Value> {
    let (header, _) = parts(token);
    let key = keys.iter().find(|key| key["kid"] == header["kid"])?;
    let algorithm = key["alg"].as_str()?.parse().ok()?;
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).ok()?).ok()?;
    jsonwebtoken::decode(token, &key, &validation).ok().map(|decoded| decoded.claims)
}

/// The names of an object's members, in order.
fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn base64url(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// No stretch of twelve characters of any secret is in `text`.
fn assert_tells_nothing_of(secrets: &[String], place: &str, text: &str) {
    for secret in secrets {
        let characters: Vec<char> = secret.chars().collect();
        for part in characters.windows(12) {
            let part: String = part.iter().collect();
            assert!(!text.contains(&part), "{place} has a part of a secret or token: {part}");
        }
    }
}
