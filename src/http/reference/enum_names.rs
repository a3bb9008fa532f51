//! Names for the values of closed lists. In Go all generated constants are in one namespace: values that several lists
//! have get names with the list's own in them (`x-enum-varnames`).

use std::collections::BTreeMap;

use serde_json::Value;

/// Adds the names to the schemas of the document.
pub fn add(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for constant in schemas.values().flat_map(constants) {
        *uses.entry(constant).or_default() += 1;
    }
    for (name, schema) in schemas.iter_mut() {
        let constants = constants(schema);
        if constants.iter().any(|constant| uses.get(constant).is_some_and(|count| *count > 1)) {
            let prefix = snake(name);
            let names: Vec<String> = constants.iter().map(|constant| format!("{prefix}_{constant}")).collect();
            schema["x-enum-varnames"] = names.into();
        }
    }
}

/// What generators call the values of a closed list.
fn constants(schema: &Value) -> Vec<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    values.map(|value| value.chars().map(plain).collect()).collect()
}

/// A type's name as part of a constant's: `ApiKeyType` becomes `API_KEY_TYPE`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_uppercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_two_lists_have_are_told_apart() {
        let mut document = json!({"components": {"schemas": {
            "KeyState": {"enum": ["active", "read-only"]},
            "UserState": {"enum": ["ACTIVE"]},
            "Place": {"enum": ["here"]},
            "Other": {"type": "object"},
        }}});
        add(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["KeyState"]["x-enum-varnames"], json!(["KEY_STATE_ACTIVE", "KEY_STATE_READ_ONLY"]));
        assert_eq!(schemas["UserState"]["x-enum-varnames"], json!(["USER_STATE_ACTIVE"]));
        assert!(schemas["Place"].get("x-enum-varnames").is_none());
    }
}
