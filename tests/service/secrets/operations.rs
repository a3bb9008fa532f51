//! The operations of the API with their inputs, as its document has them: what is added there is planted with secrets,
//! too.

use serde_json::{Map, Value, json};

use crate::support::Server;

/// An operation of the API.
pub struct Operation {
    pub method: String,
    /// Its path, with parameters in braces.
    pub path: String,
    /// The parameters of its query string.
    pub query: Vec<String>,
    /// The members of its body, each with whether it is required, an example, and whether a secret belongs there.
    pub body: Vec<Member>,
}

/// A member of a body.
pub struct Member {
    pub name: String,
    pub is_required: bool,
    pub example: Value,
    /// A password, or a key to verify.
    pub is_secret: bool,
    kind: String,
}

impl Operation {
    /// A body that is otherwise valid, with `value` as the member `name`.
    pub fn body_with(&self, name: &str, value: Value) -> Value {
        let required = self.body.iter().filter(|member| member.is_required);
        let mut body: Map<String, Value> =
            required.map(|member| (member.name.clone(), member.example.clone())).collect();
        body.insert(name.to_owned(), value);
        Value::Object(body)
    }

    /// Its path with `value` as each parameter.
    pub fn path_with(&self, value: &str) -> String {
        let mut path = String::new();
        for part in self.path.split_inclusive('/') {
            let bare = part.trim_end_matches('/');
            path.push_str(if bare.starts_with('{') { value } else { bare });
            path.push_str(&part[bare.len()..]);
        }
        path
    }
}

impl Member {
    /// `secret` as a value of this member's type.
    pub fn planted(&self, secret: &str) -> Value {
        match self.kind.as_str() {
            "array" => json!([secret]),
            "object" => json!({"key": secret}),
            _ => json!(secret),
        }
    }
}

/// All operations that the document lists.
pub fn all(server: &Server) -> Vec<Operation> {
    let document = server.get("/api/openapi.json").body;
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        let methods = methods.filter(|(name, _)| ["get", "post", "patch", "put", "delete"].contains(&name.as_str()));
        methods.map(|(method, operation)| read(&document, method, path, operation)).collect::<Vec<_>>()
    });
    operations.collect()
}

fn read(document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
    let content = operation["requestBody"]["content"].as_object().and_then(|types| types.values().next());
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        query: in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
        body: content.map(|content| members(document, &content["schema"])).unwrap_or_default(),
    }
}

/// A schema, where it is a reference or may be null.
fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolve(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().find_map(|name| schema[name].as_array());
    match choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null")) {
        Some(choice) => resolve(document, choice),
        None => schema,
    }
}

fn members(document: &Value, schema: &Value) -> Vec<Member> {
    let schema = resolve(document, schema);
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let member = |(name, schema): (String, Value)| {
        let schema = resolve(document, &schema).clone();
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default(),
            kind => kind.clone(),
        };
        Member {
            is_required: required.contains(&json!(name)),
            example: example(document, &schema, kind.as_str().unwrap_or_default()),
            is_secret: schema["format"] == "password",
            kind: kind.as_str().unwrap_or_default().to_owned(),
            name,
        }
    };
    properties.into_iter().map(member).collect()
}

fn example(document: &Value, schema: &Value, kind: &str) -> Value {
    let first = |name: &str| schema[name].as_array().and_then(|values| values.first()).cloned();
    if let Some(value) = first("examples").or_else(|| first("enum")) {
        return value;
    }
    match kind {
        "array" => json!([example(document, resolve(document, &schema["items"]), "string")]),
        "object" => json!({}),
        "integer" => json!(1),
        "boolean" => json!(true),
        _ if schema["format"] == "password" => json!("correct horse battery staple"),
        _ => json!("x"),
    }
}
