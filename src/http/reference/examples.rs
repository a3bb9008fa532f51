//! Examples of request bodies. Each is accepted as it is: what the page would make of the members' own examples has
//! members that exclude each other, and names that are taken.

use serde_json::{Map, Value, json};

use crate::view::credential_input::{
    ApiKeyCreate, ApiKeyUpdate, ClientCreate, ClientUpdate, KeySearch, SecretRotation, Transfer,
};
use crate::view::customer::{CustomerCreate, CustomerUpdate};
use crate::view::input::Input;
use crate::view::revoke_all::RevokeAll;
use crate::view::role::{RoleCreate, RoleUpdate};
use crate::view::scope::{ScopeCreate, ScopeUpdate};
use crate::view::signing_key::SigningKeyRotation;
use crate::view::user::{UserCreate, UserUpdate};
use crate::view::verification::Verification;

/// An example of an input.
struct Example {
    /// The name of the input's schema.
    schema: &'static str,
    body: Value,
    /// Whether the input can be read from it.
    #[cfg(test)]
    is_readable: fn(Map<String, Value>) -> bool,
}

impl Example {
    fn of<I: Input>(body: Value) -> Self {
        Self {
            schema: I::NAME,
            body,
            #[cfg(test)]
            is_readable: |members| I::read(members).is_ok(),
        }
    }
}

fn examples() -> Vec<Example> {
    let description = "Writes the monthly invoices.";
    vec![
        Example::of::<ClientCreate>(json!({"name": "billing", "scopes": ["orders:read"]})),
        Example::of::<ClientUpdate>(json!({"description": description, "rate_per_minute": 600})),
        Example::of::<ApiKeyCreate>(json!({"name": "nightly export", "scopes": ["orders:read"]})),
        Example::of::<ApiKeyUpdate>(json!({"description": description, "rate_per_minute": 600})),
        Example::of::<KeySearch>(json!({"key": "sw_live_…"})),
        Example::of::<SecretRotation>(json!({"grace": "24h"})),
        Example::of::<Transfer>(json!({"owner": null})),
        Example::of::<Verification>(json!({
            "key": "sw_live_…",
            "environment": "production",
            "scopes": ["orders:read"],
            "ip": "203.0.113.7",
        })),
        Example::of::<CustomerCreate>(json!({"external_id": "acme", "name": "Acme"})),
        Example::of::<CustomerUpdate>(json!({"name": "Acme Inc.", "metadata": {"plan": "gold"}})),
        Example::of::<UserCreate>(json!({"email": "ann@example.com", "role": "developer", "name": "Ann"})),
        Example::of::<UserUpdate>(json!({"name": "Ann"})),
        Example::of::<RoleCreate>(json!({
            "name": "billing",
            "description": "Reads orders for invoices.",
            "scopes": ["orders:read"],
        })),
        Example::of::<RoleUpdate>(json!({"description": "Reads orders for invoices."})),
        Example::of::<ScopeCreate>(json!({"name": "orders:read", "description": "Reads orders."})),
        Example::of::<ScopeUpdate>(json!({"description": "Reads orders."})),
        Example::of::<RevokeAll>(json!({"environment": "staging", "owner": "ann@example.com", "dry_run": true})),
        Example::of::<SigningKeyRotation>(json!({"algorithm": "ES256", "lead": "1h"})),
    ]
}

/// Adds the examples to the bodies of the operations.
pub fn add(document: &mut Value) {
    let examples = examples();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let items = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in items.flat_map(Map::values_mut) {
        let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") else { continue };
        let schema = content["schema"].to_string();
        let is_of = |example: &&Example| schema.contains(&format!("\"#/components/schemas/{}\"", example.schema));
        if let Some(example) = examples.iter().find(is_of) {
            content["example"] = example.body.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(body: &Value) -> Map<String, Value> {
        body.as_object().cloned().unwrap()
    }

    #[test]
    fn every_example_can_be_read() {
        for example in examples() {
            assert!((example.is_readable)(members(&example.body)), "{}: {}", example.schema, example.body);
        }
    }
}
