//! `/api/openapi.json` and `/docs`: what they say is so.

use serde_json::{Value, json};

use crate::support::{Database, Kind, Response, Server, programs, run};

fn server() -> Server {
    Server::start(Database::new(Kind::Sqlite))
}

fn document(server: &Server) -> Value {
    let response = server.get("/api/openapi.json");
    assert_eq!((response.status, response.header("content-type")), (200, "application/json"));
    response.body
}

/// The schema that the document has for the responses of an operation with this status, with all that it refers to.
fn schema(document: &Value, path: &str, method: &str, status: u16, content_type: &str) -> Value {
    let mut response = &document["paths"][path][method]["responses"][status.to_string()];
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let schema = &response["content"][content_type]["schema"];
    assert!(schema.is_object(), "{method} {path} has no {status} in {content_type}");
    json!({"allOf": [schema], "components": document["components"]})
}

/// The response's status, content type and body are as the document says, and the body has nothing beyond it.
fn assert_documented(document: &Value, method: &str, path: &str, response: &Response) {
    let content_type = response.header("content-type");
    let mut schema = schema(document, path, method, response.status, content_type);
    schema["unevaluatedProperties"] = json!(false);
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&response.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new(), "{method} {path}: {}", response.text);
}

#[test]
fn the_document_is_openapi_3_1_and_names_this_service() {
    let server = server();
    let document = document(&server);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["title"], "Sealwright");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["servers"][0]["url"], server.url.as_str());
    let below = document["paths"]["/api/oauth/token"]["servers"].as_array().unwrap();
    assert_eq!(below[1]["url"], format!("{}/staging", server.url));
    let samples = document["paths"]["/api/oauth/token"]["post"]["x-codeSamples"].as_array().unwrap();
    for sample in samples {
        let source = sample["source"].as_str().unwrap();
        assert!(source.contains(&format!("{}/api/oauth/token", server.url)), "{source}");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
}

#[test]
fn responses_of_the_management_api_are_as_documented() {
    let server = server();
    let manager = server.client("sealwright.admin orders:read");
    let token = server.management_token(&manager);
    let document = document(&server);
    let call = |method: &str, path: &str, documented: &str, body: Option<Value>| {
        let response = server.api(method, path, &token, body.as_ref());
        assert_documented(&document, &method.to_lowercase(), &format!("/api/v1{documented}"), &response);
        response
    };
    let settings = json!({"name": "billing", "scopes": ["orders:read"], "expires_at": "2099-01-01T00:00:00Z"});
    let made = call("POST", "/clients", "/clients", Some(settings));
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(made.body["client_secret"].is_string());
    let id = made.body["id"].as_str().unwrap();
    call("GET", &format!("/clients/{id}"), "/clients/{id}", None);
    call("PATCH", &format!("/clients/{id}"), "/clients/{id}", Some(json!({"rate_per_minute": null})));
    for action in ["rotate-secret", "disable", "enable", "revoke-tokens", "revoke"] {
        call("POST", &format!("/clients/{id}/{action}"), &format!("/clients/{{id}}/{action}"), None);
    }
    call("GET", "/clients", "/clients", None);
    call("POST", "/scopes", "/scopes", Some(json!({"name": "orders:read"})));
    call("GET", "/scopes", "/scopes", None);
    call("GET", "/scopes/orders:read", "/scopes/{name}", None);
    call("POST", "/signing-keys/rotate", "/signing-keys/rotate", None);
    call("GET", "/signing-keys", "/signing-keys", None);
    call("GET", "/audit-events", "/audit-events", None);

    let refused = call("POST", "/clients", "/clients", Some(json!({"scopes": 1, "colour": "red"})));
    assert_eq!(refused.status, 422);
    assert_eq!(call("GET", "/clients/cli_0", "/clients/{id}", None).status, 404);
    assert_eq!(call("POST", "/scopes", "/scopes", Some(json!({"name": "orders:read"}))).status, 409);
    let nobody = server.api("GET", "/clients", "nobody", None);
    assert_eq!(nobody.status, 401);
    assert_documented(&document, "get", "/api/v1/clients", &nobody);
}

#[test]
fn examples_are_accepted_as_they_are() {
    let server = server();
    let manager = server.key_with("sealwright.admin admin", &["--type", "internal"]);
    let document = document(&server);
    for path in ["clients", "keys", "customers", "users", "roles", "scopes", "keys/verify", "signing-keys/rotate"] {
        let body = &document["paths"][format!("/api/v1/{path}")]["post"]["requestBody"];
        let example = &body["content"]["application/json"]["example"];
        let response = server.api_with_key("POST", &format!("/{path}"), &manager.key, Some(example));
        assert!((200..300).contains(&response.status), "{path} {example}: {}", response.text);
    }
}

#[test]
fn responses_of_the_protocol_are_as_documented() {
    let server = server();
    let client = server.client("orders:read");
    let document = document(&server);
    let token = server.token(&client);
    assert_documented(&document, "post", "/api/oauth/token", &token);
    let text = token.body["access_token"].as_str().unwrap();
    for token in [text, "nonsense"] {
        let response = server.post_form("/api/oauth/introspect", &client, &[("token", token)]);
        assert_documented(&document, "post", "/api/oauth/introspect", &response);
    }
    let refused = server.post_form("/api/oauth/token", &client, &[("grant_type", "password")]);
    assert_eq!(refused.status, 400);
    assert_documented(&document, "post", "/api/oauth/token", &refused);
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/healthz", "/readyz"] {
        assert_documented(&document, "get", path, &server.get(path));
    }
}

#[test]
fn every_parameter_of_a_list_is_read() {
    let server = server();
    let token = server.management_token(&server.client("sealwright.admin"));
    let document = document(&server);
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let path = path.strip_prefix("/api/v1").unwrap();
            let response = server.api("GET", &format!("{path}?{name}=1"), &token, None);
            assert!(!response.text.contains("is not a parameter"), "{path} {name}: {}", response.text);
        }
    }
}

#[test]
fn the_reference_needs_nothing_from_elsewhere() {
    let server = server();
    let page = server.get("/docs");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!page.text.contains("//"), "the page names no other host");
    let scripts: Vec<&str> = page.text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(scripts.len(), 2);
    for script in scripts {
        let response = server.get(&format!("/{script}"));
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, "text/javascript; charset=utf-8"),
            "{script}"
        );
    }
    assert_eq!(server.get("/docs/other.js").status, 404);
}

#[test]
fn the_reference_can_be_kept_from_the_public() {
    let server = Server::start_with(Database::new(Kind::Sqlite), &[("PUBLIC_DOCS", "false")]);
    for path in ["/api/openapi.json", "/docs", "/docs/page.js"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn samples_run_as_they_stand() {
    let server = server();
    let document = document(&server);
    let client = server.client("orders:read");
    let token = server.management_token(&server.client("sealwright.clients:write orders:read"));
    let folder = tempfile::tempdir().unwrap();
    for (path, made) in [("/api/oauth/token", "token.issue"), ("/api/v1/clients", "client.create")] {
        let count = || server.events(&["--action", made, "--outcome", "success"]).len();
        for sample in document["paths"][path]["post"]["x-codeSamples"].as_array().unwrap() {
            let (label, source) = (sample["label"].as_str().unwrap(), sample["source"].as_str().unwrap());
            let script = |name: &str| {
                let file = folder.path().join(name);
                std::fs::write(&file, source).unwrap();
                file.to_str().unwrap().to_owned()
            };
            let mut command = match label {
                "curl" => programs::shell(&script("sample.sh")),
                "Python" => programs::python(&script("sample.py")),
                "JavaScript" => programs::node(&script("sample.mjs")),
                _ => continue,
            };
            let before = count();
            let ended =
                run(command.env("CLIENT_ID", &client.id).env("CLIENT_SECRET", &client.secret).env("TOKEN", &token));
            assert!(ended.status.success(), "{label}: {}", String::from_utf8_lossy(&ended.stderr));
            assert_eq!(count(), before + 1, "{label}");
        }
    }
}
