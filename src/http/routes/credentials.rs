//! Clients and API keys.

use crate::http::api::credentials::{
    ApiKeys, Clients, create, disable, enable, find, list, revoke, revoke_tokens, rotate, show, transfer, update,
};
use crate::http::endpoint::{Endpoint, op};
use crate::http::reference::samples;

fn client(path: &str) -> Endpoint {
    Endpoint::at("Clients", format!("/api/v1/clients{path}"))
}

pub fn clients() -> Vec<Endpoint> {
    vec![
        client("")
            .get(op("list_clients", "List clients", "Newest first, of the caller's environment."), list::<Clients>)
            .post(
                op(
                    "create_client",
                    "Create a client",
                    "The response has its `client_secret`, this once. The caller's own scopes must cover those of the \
                     client.",
                )
                .with_samples(&samples::CREATE_CLIENT),
                create::<Clients>,
            ),
        client("/{id}").get(op("get_client", "Show a client", ""), show::<Clients>).patch(
            op("update_client", "Update a client", "Settings that are absent stay as they are."),
            update::<Clients>,
        ),
        client("/{id}/rotate-secret").post(
            op(
                "rotate_client_secret",
                "Rotate a client's secret",
                "The response has the new `client_secret`, this once. The old one ends at once, or after `grace`.",
            ),
            rotate::<Clients>,
        ),
    ]
}

pub fn client_actions() -> Vec<Endpoint> {
    vec![
        client("/{id}/disable")
            .post(op("disable_client", "Disable a client", "It can be enabled again."), disable::<Clients>),
        client("/{id}/enable")
            .post(op("enable_client", "Enable a client", "A disabled client is accepted again."), enable::<Clients>),
        client("/{id}/revoke").post(
            op("revoke_client", "Revoke a client", "Permanently. Its record and its audit events stay."),
            revoke::<Clients>,
        ),
        client("/{id}/revoke-tokens").post(
            op(
                "revoke_client_tokens",
                "Revoke the tokens of a client",
                "All that were issued before this moment, to the millisecond.",
            ),
            revoke_tokens,
        ),
        client("/{id}/transfer").post(
            op(
                "transfer_client",
                "Transfer a client to another owner",
                "From then on that user's role limits what it may do. Without an owner it belongs to the organisation.",
            ),
            transfer::<Clients>,
        ),
    ]
}

fn key(path: &str) -> Endpoint {
    Endpoint::at("API keys", format!("/api/v1/keys{path}"))
}

pub fn keys() -> Vec<Endpoint> {
    vec![
        key("")
            .get(op("list_keys", "List API keys", "Newest first, of the caller's environment."), list::<ApiKeys>)
            .post(
                op(
                    "create_key",
                    "Create an API key",
                    "The response has the `key` itself, this once. The caller's own scopes must cover those of the \
                     key.",
                ),
                create::<ApiKeys>,
            ),
        key("/find").post(
            op(
                "find_key",
                "Find an API key by its value",
                "Also one that is revoked, and by a value that was replaced, until 30 days after its end. The value is \
                 not recorded. By prefix and last four characters, keys are found by `list_keys`.",
            ),
            find,
        ),
        key("/{id}").get(op("get_key", "Show an API key", ""), show::<ApiKeys>).patch(
            op("update_key", "Update an API key", "Settings that are absent stay as they are."),
            update::<ApiKeys>,
        ),
        key("/{id}/rotate").post(
            op(
                "rotate_key",
                "Rotate an API key",
                "The response has the new value as `key`, this once. The old one ends at once, or after `grace`.",
            ),
            rotate::<ApiKeys>,
        ),
    ]
}

pub fn key_actions() -> Vec<Endpoint> {
    vec![
        key("/{id}/disable")
            .post(op("disable_key", "Disable an API key", "It can be enabled again."), disable::<ApiKeys>),
        key("/{id}/enable")
            .post(op("enable_key", "Enable an API key", "A disabled key is accepted again."), enable::<ApiKeys>),
        key("/{id}/revoke").post(
            op("revoke_key", "Revoke an API key", "Permanently. Its record and its audit events stay."),
            revoke::<ApiKeys>,
        ),
        key("/{id}/transfer").post(
            op(
                "transfer_key",
                "Transfer an API key to another owner",
                "From then on that user's role limits what it may do. Without an owner it belongs to the organisation.",
            ),
            transfer::<ApiKeys>,
        ),
    ]
}
