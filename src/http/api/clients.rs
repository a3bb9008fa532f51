//! `/api/v1/clients`.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::fields::Fields;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{ClientsRead, ClientsWrite, Permitted};
use super::repeated::{Repeated, repeated};
use super::schema::{self, Time};
use super::{Answer, fields, private_json};
use crate::clock;
use crate::config::Issuers;
use crate::crypto::client_secret::ClientSecretText;
use crate::domain::client::{Client, ClientSecret};
use crate::domain::environment::Environment;
use crate::domain::ids::ClientId;
use crate::domain::scope::Scopes;
use crate::domain::signing_key::Algorithm;
use crate::domain::time::{Duration, Timestamp};
use crate::http::SharedState;
use crate::http::error::{ApiError, Conflict};
use crate::http::reference::samples;
use crate::service::clients::{ClientInput, Render, StateChange};
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::service::trail::Trail;
use crate::store::clients::ClientFilter;

/// A client as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
struct ClientView {
    /// Its one id.
    #[schema(examples("cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"))]
    id: String,
    /// The same, by the name that the protocol has for it.
    client_id: String,
    #[schema(value_type = schema::Environment)]
    environment: &'static str,
    name: String,
    description: String,
    #[schema(value_type = schema::ClientStatus)]
    status: &'static str,
    /// What it may at most be granted.
    #[schema(examples(json!(["orders:read"])))]
    scopes: Vec<String>,
    /// What it gets when it asks for no scope; null is its scopes.
    #[schema(required)]
    default_scopes: Option<Vec<String>>,
    /// Whom its tokens may be for. The first is what a request gets that names none.
    audiences: Vec<String>,
    /// Audiences whose tokens it may introspect, being their resource server.
    resource_for: Vec<String>,
    /// Addresses and CIDR blocks that it may be used from; anywhere, where there are none.
    allowed_ips: Vec<String>,
    /// Seconds.
    token_lifetime: i64,
    /// Null is its environment's algorithm.
    #[schema(required, value_type = Option<schema::Algorithm>)]
    signing_algorithm: Option<&'static str>,
    /// Requests a minute; null is unlimited.
    #[schema(required)]
    rate_per_minute: Option<u32>,
    /// Requests at once, refilled within a second; null is unlimited.
    #[schema(required)]
    burst_per_second: Option<u32>,
    #[schema(required)]
    expires_at: Option<Time>,
    /// Tokens that were issued before this are no longer active.
    #[schema(required)]
    tokens_revoked_before: Option<Time>,
    created_at: Time,
    updated_at: Time,
    #[schema(required)]
    last_used_at: Option<Time>,
    /// Those that have not ended, newest first; at most two of them are live.
    secrets: Vec<SecretView>,
}

/// What is shown of a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientSecret)]
struct SecretView {
    id: String,
    last_four: String,
    created_at: Time,
    #[schema(required)]
    last_used_at: Option<Time>,
    #[schema(required)]
    ends_at: Option<Time>,
    live: bool,
}

/// A client with a secret that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientWithSecret)]
struct ClientWithSecretView {
    #[serde(flatten)]
    client: ClientView,
    /// Shown this once. Left out where an `Idempotency-Key` is used again after its answer has been destroyed.
    #[schema(required = false)]
    client_secret: String,
}

impl ClientView {
    fn of(client: &Client, issuers: &Issuers, now: Timestamp) -> Self {
        let texts = |scopes: &Scopes| scopes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let audiences = client.effective_audiences(&issuers.of(client.environment).audiences);
        Self {
            id: client.id.to_string(),
            client_id: client.id.to_string(),
            environment: client.environment.as_str(),
            name: client.name.clone(),
            description: client.description.clone(),
            status: client.status(now).as_str(),
            scopes: texts(&client.scopes),
            default_scopes: client.default_scopes.as_ref().map(texts),
            audiences: audiences.iter().map(ToString::to_string).collect(),
            resource_for: client.resource_for.iter().map(ToString::to_string).collect(),
            allowed_ips: client.allowed_ips.to_strings(),
            token_lifetime: client.token_lifetime.as_seconds(),
            signing_algorithm: client.signing_algorithm.map(Algorithm::as_str),
            rate_per_minute: client.limits.rate_per_minute,
            burst_per_second: client.limits.burst_per_second,
            expires_at: client.expires_at.map(Time::from),
            tokens_revoked_before: client.tokens_revoked_before.map(Time::from),
            created_at: client.created_at.into(),
            updated_at: client.updated_at.into(),
            last_used_at: client.secrets.iter().filter_map(|secret| secret.last_used_at).max().map(Time::from),
            secrets: client.secrets.iter().map(|secret| SecretView::of(secret, now)).collect(),
        }
    }
}

impl SecretView {
    fn of(secret: &ClientSecret, now: Timestamp) -> Self {
        Self {
            id: secret.id.to_string(),
            last_four: secret.last_four.clone(),
            created_at: secret.created_at.into(),
            last_used_at: secret.last_used_at.map(Time::from),
            ends_at: secret.ends_at.map(Time::from),
            live: secret.is_live(now),
        }
    }
}

/// A client as it is shown.
pub fn view(client: &Client, issuers: &Issuers, now: Timestamp) -> Value {
    json!(ClientView::of(client, issuers, now))
}

/// A client with the secret that was just made, this once.
pub fn view_with_secret(client: &Client, secret: &ClientSecretText, issuers: &Issuers, now: Timestamp) -> Value {
    let client = ClientView::of(client, issuers, now);
    json!(ClientWithSecretView { client, client_secret: secret.expose().to_owned() })
}

fn rendered(status: u16, issuers: &Issuers, client: &Client, secret: &ClientSecretText, now: Timestamp) -> Rendered {
    Rendered {
        status,
        whole: view_with_secret(client, secret, issuers, now).to_string(),
        bare: view(client, issuers, now).to_string(),
    }
}

/// What may be said of a client. `null` sets a field back to its default, or a limit to unlimited.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
struct ClientSettings {
    /// What it is called; it cannot be null.
    #[schema(examples("billing"))]
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// What it may at most be granted, management permissions among them; it cannot be null.
    #[schema(min_items = 1, max_items = 100, examples(json!(["orders:read"])))]
    scopes: Option<Vec<String>>,
    /// What it gets when it asks for no scope; its scopes, unless given.
    #[schema(min_items = 1, max_items = 100)]
    default_scopes: Option<Vec<String>>,
    /// Whom its tokens may be for; its environment's default audience, unless given.
    audiences: Option<Vec<String>>,
    /// Audiences whose tokens it may introspect, being their resource server.
    resource_for: Option<Vec<String>>,
    /// Addresses and CIDR blocks that it may be used from; anywhere, unless given.
    #[schema(max_items = 100, examples(json!(["203.0.113.7", "2001:db8::/32"])))]
    allowed_ips: Option<Vec<String>>,
    /// Seconds that its tokens live.
    #[schema(minimum = 1, maximum = 3600, default = 3600)]
    token_lifetime: Option<i64>,
    /// What its tokens are signed with; its environment's algorithm, unless given.
    #[schema(value_type = Option<schema::Algorithm>)]
    signing_algorithm: Option<String>,
    /// Requests a minute.
    #[schema(minimum = 1)]
    rate_per_minute: Option<i64>,
    /// Requests at once, refilled within a second.
    #[schema(minimum = 1)]
    burst_per_second: Option<i64>,
    /// When it stops being accepted.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A client to be made: its settings, of which `name` and `scopes` are required, and its environment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `new_client` reads")]
struct NewClient {
    /// The caller's own, unless given; no other can be given.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<String>,
    #[serde(flatten)]
    settings: ClientSettings,
}

/// How a secret is to be replaced.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `rotation` reads")]
struct SecretRotation {
    /// How long the old secret goes on being accepted: an integer and `s`, `m`, `h` or `d`; at most 30 days.
    #[schema(default = "0s", examples("24h"))]
    grace: Option<String>,
}

fn input(fields: &mut Fields) -> ClientInput {
    ClientInput {
        name: fields.string("name"),
        description: fields.string("description"),
        scopes: fields.strings("scopes"),
        default_scopes: fields.strings("default_scopes"),
        audiences: fields.strings("audiences"),
        resource_for: fields.strings("resource_for"),
        allowed_ips: fields.strings("allowed_ips"),
        token_lifetime: fields.integer("token_lifetime"),
        signing_algorithm: fields.string("signing_algorithm"),
        rate_per_minute: fields.integer("rate_per_minute"),
        burst_per_second: fields.integer("burst_per_second"),
        expires_at: fields.string("expires_at"),
    }
}

fn new_client(fields: &mut Fields) -> (Option<String>, ClientInput) {
    (fields.string("environment").apply(None), input(fields))
}

fn rotation(fields: &mut Fields) -> Option<String> {
    fields.string("grace").apply(None)
}

/// List clients
///
/// Those of the caller's environment, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/clients",
    operation_id = "list_clients",
    tag = "Clients",
    params(
        ("environment" = Option<schema::Environment>, Query, description = "Only those of this environment."),
        ("name" = Option<String>, Query, description = "Only those with exactly this name."),
        PageParameters,
    ),
    responses((status = 200, description = "A page of clients.", body = Page<ClientView>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<ClientsRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let filter = ClientFilter {
        environment: query.get::<Environment>("environment"),
        name: query.get::<String>("name"),
        before: query.get::<ClientId>("cursor"),
    };
    query.finish()?;
    let rows = state.services.list_clients(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    let now = clock::now();
    Ok(page(rows, limit, |client| client.id.to_string(), |client| view(client, &state.services.issuers, now)))
}

/// Create a client
///
/// The answer has its `client_secret`, this once. The caller's own scopes must cover those of the client.
#[utoipa::path(
    post,
    path = "/api/v1/clients",
    operation_id = "create_client",
    tag = "Clients",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within one hour the first answer comes again, with its secret; after that without it.")),
    request_body = NewClient,
    responses(
        (status = 201, description = "The client, with its secret.", body = ClientWithSecretView),
        Conflict,
    ),
    extensions(("x-codeSamples" = json!(samples::CREATE_CLIENT))),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |issuers, client, secret, now| rendered(201, issuers, client, secret, now);
    let Permitted { caller, origin, .. } = permitted;
    let (mut fields, body) = fields::read(&request, payload, &state).await?;
    let trail = Trail::of(&caller, "client.create", Arc::clone(&origin));
    let repeat = match repeated(&request, &body, &state, &caller, trail, render).await? {
        Repeated::Before(replay) => return Ok(private_json(replay.status, &replay.body)),
        Repeated::New(repeat) => repeat,
    };
    let (environment, input) = new_client(&mut fields);
    fields.finish()?;
    let services = &state.services;
    let (client, secret) = services.create_client(&caller, environment.as_deref(), input, repeat, origin).await?;
    let answer = render(&services.issuers, &client, &secret, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// Show a client
#[utoipa::path(
    get,
    path = "/api/v1/clients/{id}",
    operation_id = "show_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView)),
)]
pub(in crate::http) async fn show(id: Path<String>, permitted: Permitted<ClientsRead>, state: SharedState) -> Answer {
    Ok(shown(&state, &state.services.client(&permitted.caller, &id, permitted.origin).await?))
}

/// Change a client's settings
///
/// What is not named stays.
#[utoipa::path(
    patch,
    path = "/api/v1/clients/{id}",
    operation_id = "update_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    request_body = ClientSettings,
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let input = input(&mut fields);
    fields.finish()?;
    let client = state.services.update_client(&permitted.caller, &id, input, permitted.origin).await?;
    Ok(shown(&state, &client))
}

/// Replace a client's secret
///
/// The answer has the new `client_secret`, this once. The old one ends at once, or after `grace`.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/rotate-secret",
    operation_id = "rotate_client_secret",
    tag = "Clients",
    params(
        ("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within one hour the first answer comes again, with its secret; after that without it."),
    ),
    request_body = Option<SecretRotation>,
    responses((status = 200, description = "The client, with its new secret.", body = ClientWithSecretView), Conflict),
)]
pub(in crate::http) async fn rotate_secret(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |issuers, client, secret, now| rendered(200, issuers, client, secret, now);
    let Permitted { caller, origin, .. } = permitted;
    let (mut fields, body) = fields::read(&request, payload, &state).await?;
    let trail = Trail::of(&caller, "client.rotate_secret", Arc::clone(&origin));
    let repeat = match repeated(&request, &body, &state, &caller, trail, render).await? {
        Repeated::Before(replay) => return Ok(private_json(replay.status, &replay.body)),
        Repeated::New(repeat) => repeat,
    };
    let grace = rotation(&mut fields);
    fields.finish()?;
    let grace: Duration = grace
        .map_or(Ok(Duration::ZERO), |text| text.parse())
        .map_err(|wrong| ApiError::Input(ServiceError::invalid("grace", wrong)))?;
    let services = &state.services;
    let (client, secret) = services.rotate_client_secret(&caller, &id, grace, repeat, origin).await?;
    let answer = render(&services.issuers, &client, &secret, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// Stop a client for now
///
/// It can be enabled again.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/disable",
    operation_id = "disable_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn disable(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::Disable).await
}

/// Let a disabled client go on
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/enable",
    operation_id = "enable_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn enable(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::Enable).await
}

/// End a client for good
///
/// Its record and its audit events stay.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/revoke",
    operation_id = "revoke_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn revoke(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::Revoke).await
}

/// End the tokens of a client
///
/// All that were issued before this moment, to the millisecond.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/revoke-tokens",
    operation_id = "revoke_client_tokens",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn revoke_tokens(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::RevokeTokens).await
}

async fn change_state(
    id: &str,
    permitted: Permitted<ClientsWrite>,
    state: &SharedState,
    change: StateChange,
) -> Answer {
    let changed = state.services.change_client_state(&permitted.caller, id, change, permitted.origin).await?;
    Ok(shown(state, &changed))
}

fn shown(state: &SharedState, client: &Client) -> actix_web::HttpResponse {
    private_json(200, &view(client, &state.services.issuers, clock::now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<ClientSettings>(|fields| drop(input(fields)));
        assert_described::<NewClient>(|fields| drop(new_client(fields)));
        assert_described::<SecretRotation>(|fields| drop(rotation(fields)));
    }
}
