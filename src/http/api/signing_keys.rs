//! `/api/v1/signing-keys`. Private halves are never shown.

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::fields::Fields;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{Permitted, SigningKeysRead, SigningKeysWrite};
use super::repeated::{Begun, begin};
use super::schema::{self, Time};
use super::{Answer, fields, private_json};
use crate::clock;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::{Duration, Timestamp};
use crate::http::SharedState;
use crate::http::error::{ApiError, Conflict};
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;

/// A key as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct SigningKeyView<'k> {
    /// The RFC 7638 thumbprint of its public half.
    id: &'k str,
    /// The same, by the name that tokens and JWKS have for it.
    kid: &'k str,
    #[schema(value_type = schema::Environment)]
    environment: &'static str,
    #[schema(value_type = schema::Algorithm)]
    algorithm: &'static str,
    #[schema(value_type = schema::KeyStatus)]
    status: &'static str,
    /// RFC 7517.
    #[schema(value_type = Object)]
    public_jwk: &'k Value,
    created_at: Time,
    /// From when on it signs.
    activates_at: Time,
    /// When it stops signing.
    #[schema(required)]
    retires_at: Option<Time>,
    /// Until when it is published for the tokens that it signed.
    #[schema(required)]
    published_until: Option<Time>,
    #[schema(required)]
    destroyed_at: Option<Time>,
}

/// A key as it is shown.
pub fn view(key: &SigningKey, now: Timestamp) -> Value {
    json!(SigningKeyView {
        id: &key.kid,
        kid: &key.kid,
        environment: key.environment.as_str(),
        algorithm: key.algorithm.as_str(),
        status: key.status(now).as_str(),
        public_jwk: &key.public_jwk,
        created_at: key.created_at.into(),
        activates_at: key.activates_at.into(),
        retires_at: key.retires_at.map(Time::from),
        published_until: key.retires_at.map(|at| at.plus(SigningKey::PUBLISHED_AFTER_RETIRING).into()),
        destroyed_at: key.destroyed_at.map(Time::from),
    })
}

/// Which key is to be replaced.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `rotation` reads")]
struct KeyRotation {
    /// The caller's own, unless given.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<String>,
    /// The environment's own, unless given.
    #[schema(value_type = Option<schema::Algorithm>)]
    algorithm: Option<String>,
    /// How long the key is published before it signs: an integer and `s`, `m`, `h` or `d`; at most 30 days. The setting
    /// `signing_key_lead`, unless given.
    #[schema(examples("24h"))]
    lead: Option<String>,
}

struct Rotation {
    environment: Option<Environment>,
    algorithm: Option<Algorithm>,
    lead: Option<Duration>,
}

fn rotation(fields: &mut Fields) -> Result<Rotation, ApiError> {
    Ok(Rotation {
        environment: parsed(fields, "environment")?,
        algorithm: parsed(fields, "algorithm")?,
        lead: parsed(fields, "lead")?,
    })
}

/// List signing keys
///
/// Newest first. Private halves are never shown.
#[utoipa::path(
    get,
    path = "/api/v1/signing-keys",
    operation_id = "list_signing_keys",
    tag = "Signing keys",
    params(
        ("environment" = Option<schema::Environment>, Query, description = "Only those of this environment."),
        ("algorithm" = Option<schema::Algorithm>, Query, description = "Only those of this algorithm."),
        ("status" = Option<schema::KeyStatus>, Query, description = "Only those with this status."),
        PageParameters,
    ),
    responses((status = 200, description = "A page of keys.", body = Page<SigningKeyView<'_>>)),
)]
pub(in crate::http) async fn list(
    mut query: Query,
    permitted: Permitted<SigningKeysRead>,
    state: SharedState,
) -> Answer {
    let limit = query.limit();
    let environment = query.get::<Environment>("environment");
    let algorithm = query.get::<Algorithm>("algorithm");
    let status = query.get::<KeyStatus>("status");
    let cursor = query.get::<String>("cursor");
    query.finish()?;
    let keys = state.services.list_signing_keys(&permitted.caller, cursor, permitted.origin).await?;
    let now = clock::now();
    // There are few: pages are cut here.
    let matching = keys
        .into_iter()
        .filter(|key| environment.is_none_or(|wanted| key.environment == wanted))
        .filter(|key| algorithm.is_none_or(|wanted| key.algorithm == wanted))
        .filter(|key| status.is_none_or(|wanted| key.status(now) == wanted));
    Ok(page(matching.collect(), limit, |key| key.kid.to_string(), |key| view(key, now)))
}

/// Replace the active key
///
/// The new key is `pending`: published, so that verifiers know it, and signing after `lead`. The old one then stays
/// published until the last token that it signed has expired.
#[utoipa::path(
    post,
    path = "/api/v1/signing-keys/rotate",
    operation_id = "rotate_signing_key",
    tag = "Signing keys",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within a day the first answer comes again.")),
    request_body = Option<KeyRotation>,
    responses((status = 201, description = "The pending key.", body = SigningKeyView<'_>), Conflict),
)]
pub(in crate::http) async fn rotate(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<SigningKeysWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&SigningKey, Timestamp) -> Rendered = |key, now| Rendered::plain(201, view(key, now).to_string());
    let begun = begin(&request, payload, &state, &permitted, "signing_key.rotate", render).await?;
    let (mut fields, repeat) = match begun {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let Permitted { caller, origin, .. } = permitted;
    let Rotation { environment, algorithm, lead } = rotation(&mut fields)?;
    let environment = environment
        .or(caller.environment())
        .ok_or_else(|| ApiError::Input(ServiceError::invalid("environment", "is required")))?;
    let algorithm = algorithm.unwrap_or_else(|| state.services.issuers.of(environment).algorithm);
    fields.finish()?;
    let key = state.services.rotate_signing_key(&caller, environment, algorithm, lead, repeat, origin).await?;
    Ok(private_json(201, &view(&key, clock::now())))
}

/// End a key at once
///
/// For emergencies: what it signed no longer verifies. Where it was active, its successor is active in the same moment.
#[utoipa::path(
    post,
    path = "/api/v1/signing-keys/{kid}/destroy",
    operation_id = "destroy_signing_key",
    tag = "Signing keys",
    params(("kid" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "The destroyed key.", body = SigningKeyView<'_>), Conflict),
)]
pub(in crate::http) async fn destroy(
    request: HttpRequest,
    payload: Payload,
    kid: Path<String>,
    permitted: Permitted<SigningKeysWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    let key = state.services.destroy_signing_key(&permitted.caller, &kid, permitted.origin).await?;
    Ok(private_json(200, &view(&key, clock::now())))
}

fn parsed<T: std::str::FromStr<Err = &'static str>>(fields: &mut Fields, name: &str) -> Result<Option<T>, ApiError> {
    let text = fields.string(name).apply(None);
    text.map(|text| text.parse().map_err(|wrong| ApiError::Input(ServiceError::invalid(name, wrong)))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<KeyRotation>(|fields| drop(rotation(fields)));
    }
}
