//! Makes the document one that generators of clients read well: flat objects, nullable members as `type: […, "null"]`,
//! no references to mere strings and numbers.

use serde_json::{Map, Value, json};

/// The same document, flat.
pub fn flattened(mut document: Value) -> Value {
    let schemas = document["components"]["schemas"].clone();
    let Value::Object(named) = &schemas else { return document };
    flatten(&mut document, named);
    if let Some(kept) = document["components"]["schemas"].as_object_mut() {
        kept.retain(|_, schema| !is_scalar(schema));
    }
    let unused = unused(&document);
    if let Some(kept) = document["components"]["schemas"].as_object_mut() {
        kept.retain(|name, _| !unused.contains(name));
    }
    document
}

/// Whether a schema is a string, a number or a truth value that has no name of its own for clients.
fn is_scalar(schema: &Value) -> bool {
    let is_plain = |of_type: &Value| ["string", "integer", "number", "boolean"].iter().any(|plain| of_type == plain);
    is_plain(&schema["type"]) && schema.get("enum").is_none()
}

fn referred<'n>(schema: &Value, named: &'n Map<String, Value>) -> Option<&'n Value> {
    named.get(schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")?)
}

fn flatten(value: &mut Value, named: &Map<String, Value>) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|member| flatten(member, named));
            inline(members, named);
            merge(members, named);
            null_as_type(members);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| flatten(item, named)),
        _ => {}
    }
}

/// A reference to a scalar becomes the scalar, under the description that the reference has.
fn inline(members: &mut Map<String, Value>, named: &Map<String, Value>) {
    let Some(target) = referred(&Value::Object(members.clone()), named).filter(|target| is_scalar(target)) else {
        return;
    };
    let Value::Object(mut scalar) = target.clone() else { return };
    members.remove("$ref");
    scalar.append(members);
    *members = scalar;
}

/// `allOf` of objects becomes one object.
fn merge(members: &mut Map<String, Value>, named: &Map<String, Value>) {
    let Some(Value::Array(parts)) = members.remove("allOf") else { return };
    let mut whole = json!({"type": "object", "properties": {}, "required": []});
    for mut part in parts {
        if let Some(target) = referred(&part, named) {
            part = target.clone();
            flatten(&mut part, named);
        }
        if let (Some(Value::Object(all)), Some(Value::Object(own))) =
            (whole.get_mut("properties"), part.get("properties"))
        {
            all.extend(own.clone());
        }
        if let (Some(Value::Array(all)), Some(Value::Array(own))) = (whole.get_mut("required"), part.get("required")) {
            all.extend(own.iter().cloned());
        }
    }
    if let Value::Object(whole) = whole {
        for (name, value) in whole {
            members.insert(name, value);
        }
    }
}

/// `oneOf` of a scalar or a list and null becomes one type that may be null.
fn null_as_type(members: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = members.get("oneOf") else { return };
    let is_null = |choice: &Value| choice["type"] == "null";
    let (Some(other), 2) = (choices.iter().find(|choice| !is_null(choice)), choices.len()) else { return };
    let is_plain = is_scalar(other) || other["type"] == "array";
    if !choices.iter().any(is_null) || !is_plain {
        return;
    }
    let Value::Object(mut nullable) = other.clone() else { return };
    nullable.insert("type".to_owned(), json!([other["type"], "null"]));
    members.remove("oneOf");
    for (name, value) in std::mem::take(members) {
        nullable.insert(name, value);
    }
    *members = nullable;
}

/// The names of schemas that nothing refers to: parts of objects that are one now.
fn unused(document: &Value) -> Vec<String> {
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    references(document, &mut found);
    let names = document["components"]["schemas"].as_object().into_iter().flat_map(Map::keys);
    // The list of permissions is for people.
    names
        .filter(|name| *name != "Permission" && !found.contains(&&*format!("#/components/schemas/{name}")))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_flat() {
        let flat = flattened(json!({"components": {"schemas": {
            "Name": {"type": "string", "description": "A name.", "maxLength": 3},
            "Kind": {"type": "string", "enum": ["a"]},
            "Part": {"type": "object", "required": ["name"], "properties": {
                "name": {"$ref": "#/components/schemas/Name"},
            }},
            "Whole": {"description": "All.", "allOf": [
                {"$ref": "#/components/schemas/Part"},
                {"type": "object", "properties": {
                    "other": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Name"}]},
                    "kind": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Kind"}]},
                    "own": {"$ref": "#/components/schemas/Name", "description": "Its own."},
                }, "required": ["other"]},
            ]},
            "Use": {"type": "array", "items": {"$ref": "#/components/schemas/Whole"}},
            "User": {"type": "array", "items": {"$ref": "#/components/schemas/Use"}},
            "UserOfUser": {"$ref": "#/components/schemas/User"},
        }}}));
        let schemas = &flat["components"]["schemas"];
        assert_eq!(
            schemas["Whole"],
            json!({"description": "All.", "type": "object", "required": ["name", "other"], "properties": {
                "name": {"type": "string", "description": "A name.", "maxLength": 3},
                "own": {"type": "string", "description": "Its own.", "maxLength": 3},
                "other": {"type": ["string", "null"], "description": "A name.", "maxLength": 3},
                "kind": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Kind"}]},
            }})
        );
        assert!(schemas.get("Name").is_none() && schemas.get("Part").is_none());
        assert!(schemas.get("Kind").is_some());
    }
}
