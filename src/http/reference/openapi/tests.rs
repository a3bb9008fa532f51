use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;
use crate::domain::audit::{Action, Outcome, Reason};
use crate::domain::permission;
use crate::http::error::ProblemCode;
use crate::http::middleware::FORWARD_AUTH;

fn as_json() -> Value {
    let issuer = |environment: Environment| format!("{}{}", samples::ADDRESS, environment.path_prefix());
    super::as_json(&issuer).unwrap()
}

/// Method, path and operation, of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "servers" {
                operations.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    operations
}

fn each<'v>(value: &'v Value, visit: &mut impl FnMut(&'v Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values().for_each(|member| each(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        _ => {}
    }
}

#[test]
fn every_operation_of_the_table_is_documented_where_it_is_served() {
    let document = as_json();
    let mut documented = BTreeSet::new();
    for (method, path, _) in operations(&document) {
        let servers = document["paths"][&path].get("servers").unwrap_or(&document["servers"]);
        for server in servers.as_array().unwrap() {
            let prefix = server["url"].as_str().unwrap().strip_prefix(samples::ADDRESS).unwrap();
            documented.insert((method.clone(), format!("{prefix}{path}")));
        }
    }
    let routed: BTreeSet<(String, String)> = routes::table()
        .iter()
        .flat_map(|endpoint| endpoint.operations().map(|doc| (doc.method.to_string(), doc.path)).collect::<Vec<_>>())
        .collect();
    assert_eq!(documented, routed);
}

#[test]
fn every_operation_of_the_management_api_names_one_permission_of_the_closed_list() {
    let document = as_json();
    assert_eq!(document["components"]["schemas"]["Permission"]["enum"], json!(permission::ALL));
    for (method, path, operation) in operations(&document) {
        if path.starts_with("/api/v1/") && path != FORWARD_AUTH {
            let named = operation["security"][0][BEARER][0].as_str().unwrap_or_default();
            assert!(permission::ALL.contains(&named), "{method} {path}: {named:?}");
            // A key's value is sent in a body, since addresses are logged by others.
            let reads = method == "GET" || path == "/api/v1/keys/find";
            assert_eq!(named.ends_with(":read"), reads, "{method} {path}: {named}");
        }
    }
}

#[test]
fn operations_are_told_apart_and_explained() {
    let document = as_json();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
        assert!(operation["security"].is_array(), "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            let is_described = is_described || response["$ref"].is_string();
            assert!(is_described, "{method} {path} {status}");
        }
    }
}

/// The verb of an operation's id is the first word of its summary.
#[test]
fn summaries_say_what_operations_do() {
    let document = as_json();
    for (method, path, operation) in operations(&document) {
        let (id, summary) = (operation["operationId"].as_str().unwrap(), operation["summary"].as_str().unwrap());
        let expected = match (id, id.split('_').next().unwrap()) {
            ("create_scope", _) => "Register",
            ("delete_scope", _) => "Remove",
            ("forward_auth", _) => "Decide",
            (_, "get") => "Show",
            (_, verb) => &format!("{}{}", verb[..1].to_uppercase(), &verb[1..]),
        };
        assert_eq!(summary.split(' ').next(), Some(expected), "{method} {path}: {summary}");
    }
}

#[test]
fn objects_are_flat() {
    each(&as_json()["components"]["schemas"], &mut |schema| {
        for word in ["allOf", "anyOf"] {
            assert!(!schema.contains_key(word), "{schema:?}");
        }
    });
    let document = as_json();
    for schema in ["Client", "ApiKey", "ClientWithSecret", "ApiKeyWithValue", "Introspection", "Verdict", "ClientPage"]
    {
        assert_eq!(document["components"]["schemas"][schema]["type"], "object", "{schema}");
    }
    let schema = |name: &str| &document["components"]["schemas"][name];
    assert_eq!(schema("Introspection")["required"], json!(["active"]));
    assert_eq!(schema("Verdict")["required"], json!(["valid", "code"]));
    assert_eq!(schema("ClientPage")["properties"]["data"]["items"]["$ref"], "#/components/schemas/Client");
    let required = schema("ClientWithSecret")["required"].as_array().unwrap();
    assert!(required.contains(&json!("allowed_ips")) && !required.contains(&json!("client_secret")));
    assert_eq!(schema("Client")["properties"]["owner"]["type"], json!(["string", "null"]));
}

#[test]
fn problem_codes_are_listed() {
    let codes: Vec<&str> = <ProblemCode as strum::IntoEnumIterator>::iter().map(ProblemCode::as_str).collect();
    assert_eq!(as_json()["components"]["schemas"]["ProblemCode"]["enum"], json!(codes));
}

#[test]
fn audit_events_have_closed_lists() {
    let document = as_json();
    let listed = |member: &str| {
        let reference = document["components"]["schemas"]["AuditEvent"]["properties"][member]["$ref"].as_str().unwrap();
        document.pointer(reference.trim_start_matches('#')).unwrap()["enum"].clone()
    };
    let actions: Vec<&str> = Action::all().map(Action::as_str).collect();
    let reasons: Vec<&str> = Reason::all().map(Reason::as_str).collect();
    assert_eq!(listed("action"), json!(actions));
    assert_eq!(listed("reason"), json!(reasons));
    assert_eq!(listed("outcome"), json!(Outcome::all().map(Outcome::as_str).collect::<Vec<_>>()));
}

#[test]
fn errors_of_the_protocol_have_a_closed_list_of_codes() {
    let document = as_json();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["OAuthError"]["properties"]["error"]["$ref"], "#/components/schemas/OAuthErrorCode");
    let codes = schemas["OAuthErrorCode"]["enum"].as_array().unwrap();
    assert!(codes.contains(&json!("invalid_target")) && codes.contains(&json!("temporarily_unavailable")));
}

#[test]
fn every_json_body_has_an_example_that_fits_its_schema() {
    let document = as_json();
    let mut seen = 0;
    for (method, path, operation) in operations(&document) {
        let content = &operation["requestBody"]["content"]["application/json"];
        if content.is_object() {
            let schema = json!({"allOf": [content["schema"]], "components": document["components"]});
            let example = content.get("example").unwrap_or_else(|| panic!("{method} {path} has no example"));
            assert!(jsonschema::is_valid(&schema, example), "{method} {path}: {example}");
            seen += 1;
        }
    }
    assert!(seen > 15);
}

/// Go's generator makes a function `New…` for each schema.
#[test]
fn no_schema_is_named_as_another_ones_constructor() {
    let document = as_json();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!name.starts_with("New"), "{name}");
    }
}

#[test]
fn samples_are_in_six_languages() {
    let document = as_json();
    for path in ["/api/oauth/token", "/api/v1/clients"] {
        let samples = document["paths"][path]["post"]["x-codeSamples"].as_array().unwrap();
        let languages: Vec<&str> = samples.iter().map(|sample| sample["label"].as_str().unwrap()).collect();
        assert_eq!(languages, ["curl", "Python", "JavaScript", "Go", "Java", "Rust"]);
        for sample in samples {
            assert!(sample["source"].as_str().unwrap().contains(path), "{path} {}", sample["label"]);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = as_json();
    let mut found = vec![];
    each(&document, &mut |members| found.extend(members.get("$ref").and_then(Value::as_str)));
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn examples_fit_their_schemas() {
    let document = as_json();
    let mut seen = 0;
    each(&document["components"]["schemas"], &mut |schema| {
        for example in schema.get("examples").and_then(Value::as_array).into_iter().flatten() {
            // What is shortened for readers.
            if !example.as_str().is_some_and(|text| text.ends_with('…')) {
                let schema = Value::Object(schema.clone());
                assert!(jsonschema::is_valid(&schema, example), "{example} in {schema}");
                seen += 1;
            }
        }
    });
    assert!(seen > 20);
}
