//! `POST /api/v1/keys/verify`.

use std::net::IpAddr;
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::web::Payload;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::domain::environment::Environment;
use crate::domain::ids::Id;
use crate::domain::rate::{BucketStanding, Standing};
use crate::domain::scope::{Scope, Scopes};
use crate::http::SharedState;
use crate::http::api::fields::{self, Fields};
use crate::http::api::permitted::{KeysVerify, Permitted};
use crate::http::api::schema::{self, Time};
use crate::http::api::{Answer, private_json};
use crate::http::envelope;
use crate::http::error::ApiError;
use crate::service::error::{FieldError, ServiceError};
use crate::service::input::{Patch, shown};
use crate::service::use_key::{KeyCode, KeyUse};
use crate::service::verify_key::{COST_MAX, KeyQuestion, RequestAsked};

/// A question about a key, and the request that it came with.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `question` reads")]
struct Verification {
    /// What was presented as a key.
    #[schema(format = Password)]
    key: String,
    /// The environment of the API that is called.
    #[schema(value_type = schema::Environment)]
    environment: String,
    /// What is needed, all of it.
    #[schema(max_items = 100)]
    scopes: Option<Vec<String>>,
    /// The customer whose data it is about, by either id.
    customer: Option<String>,
    /// Where the key is used from; needed for keys that have an allowlist.
    ip: Option<String>,
    /// How many requests it counts as.
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    cost: Option<i64>,
    /// The method of the request, for the audit log; so are the following.
    method: Option<String>,
    path: Option<String>,
    user_agent: Option<String>,
    /// The request's id at who asks.
    request_id: Option<String>,
}

/// Whether the key may be used.
#[derive(Serialize, ToSchema)]
struct Verdict<'v> {
    valid: bool,
    /// The first that applies.
    #[schema(value_type = schema::KeyCode)]
    code: &'static str,
    /// What is known of a valid key.
    #[serde(flatten)]
    key: Option<ValidKey<'v>>,
    /// How its limits stand; there for every key that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimitView>,
}

/// A key that may be used.
#[derive(Serialize, ToSchema)]
struct ValidKey<'v> {
    id: &'v str,
    name: &'v str,
    #[schema(value_type = schema::KeyType)]
    r#type: &'static str,
    environment: &'static str,
    #[schema(required)]
    owner: Option<&'v str>,
    customers: Vec<&'v str>,
    /// What it may at this moment, cut to what its owner's role allows.
    scopes: Vec<&'v str>,
    #[schema(required)]
    expires_at: Option<Time>,
}

/// How the limit stands that will refuse first.
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
struct RateLimitView {
    /// Requests at once; null where there is no limit.
    #[schema(required)]
    limit: Option<u32>,
    /// Requests that are left; null where there is no limit.
    #[schema(required)]
    remaining: Option<u32>,
    /// Seconds until all are.
    reset_after: u32,
    /// Seconds until what was refused is admitted; 0 if nothing was refused. A cost above a limit never is.
    retry_after: u32,
}

impl RateLimitView {
    fn of(standing: &Standing) -> Self {
        let tightest = standing.tightest();
        Self {
            limit: tightest.map(|bucket| bucket.quota.limit),
            remaining: tightest.map(|bucket| bucket.remaining),
            reset_after: tightest.map_or(0, BucketStanding::reset_after_seconds),
            retry_after: standing.retry_after_seconds(),
        }
    }
}

impl<'v> Verdict<'v> {
    fn of(used: &'v KeyUse) -> Self {
        let valid = used.code == KeyCode::Valid;
        let key = used.known.as_ref().filter(|_| valid).map(|known| ValidKey {
            id: &known.id,
            name: &known.key.name,
            r#type: known.key.kind.as_str(),
            environment: known.key.environment.as_str(),
            owner: known.key.owner.as_ref().map(Id::as_str),
            customers: known.key.customers.iter().map(Id::as_str).collect(),
            scopes: used.scopes.iter().map(Scope::as_str).collect(),
            expires_at: known.key.expires_at.map(Time::from),
        });
        let rate_limit = used.standing.as_ref().map(RateLimitView::of);
        Self { valid, code: used.code.as_str(), key, rate_limit }
    }
}

/// What came of verifying a key, as it is shown.
pub fn verdict(used: &KeyUse) -> Value {
    json!(Verdict::of(used))
}

/// Collects what is wrong with fields that need more reading than their type.
struct Reader<'f> {
    fields: &'f mut Fields,
    wrong: Vec<FieldError>,
}

impl Reader<'_> {
    fn text(&mut self, name: &str) -> Option<String> {
        self.fields.string(name).apply(None)
    }

    fn parsed<T: FromStr>(&mut self, name: &str, must_be: &str) -> Option<T> {
        let text = self.text(name)?;
        text.parse().map_err(|_| self.wrong.push(FieldError::new(name, must_be))).ok()
    }

    fn required<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.wrong.iter().any(|error| error.field == name) {
            self.wrong.push(FieldError::new(name, "is required"));
        }
        value
    }

    fn scopes(&mut self) -> Scopes {
        let list = self.fields.strings("scopes").apply(None).unwrap_or_default();
        let scopes = list.iter().map(|text| text.parse::<Scope>().map_err(|what| format!("{what}: {}", shown(text))));
        let scopes = scopes.collect::<Result<Vec<_>, _>>();
        let scopes = scopes.and_then(|scopes| Scopes::new(scopes).map_err(str::to_owned));
        scopes.map_err(|what| self.wrong.push(FieldError::new("scopes", what))).unwrap_or_default()
    }

    fn cost(&mut self) -> u32 {
        match self.fields.integer("cost") {
            Patch::Keep | Patch::Clear => 1,
            Patch::Set(cost) => {
                u32::try_from(cost).ok().filter(|cost| (1..=COST_MAX).contains(cost)).unwrap_or_else(|| {
                    self.wrong.push(FieldError::new("cost", format!("must be 1 to {COST_MAX}")));
                    1
                })
            }
        }
    }
}

/// Reads [`Verification`].
fn question(fields: &mut Fields) -> Result<KeyQuestion, Vec<FieldError>> {
    let mut read = Reader { fields, wrong: vec![] };
    let key = read.text("key");
    let key = read.required("key", key);
    let environment = read.parsed::<Environment>("environment", "must be production, staging or development");
    let environment = read.required("environment", environment);
    let scopes = read.scopes();
    let customer = read.text("customer");
    let ip = read.parsed::<IpAddr>("ip", "must be an IP address");
    let cost = read.cost();
    let about = RequestAsked {
        method: read.text("method"),
        path: read.text("path"),
        user_agent: read.text("user_agent"),
        request_id: read.text("request_id"),
    };
    match (key, environment) {
        (Some(key), Some(environment)) if read.wrong.is_empty() => Ok(KeyQuestion {
            key: Zeroizing::new(key),
            environment,
            scopes,
            customer,
            ip: ip.map(|ip| ip.to_canonical()),
            cost,
            about: envelope::bounded(about),
        }),
        _ => Err(read.wrong),
    }
}

/// Verify an API key
///
/// The answer is 200 whatever becomes of it: `code` says what, the first that applies. A use that is admitted counts towards
/// the key's limits; the call does not count towards the caller's.
#[utoipa::path(
    post,
    path = "/api/v1/keys/verify",
    operation_id = "verify_key",
    tag = "API keys",
    request_body = Verification,
    responses((status = 200, description = "Whether it may be used.", body = Verdict<'_>)),
)]
pub(in crate::http) async fn verify(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<KeysVerify>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let question = question(&mut fields);
    fields.finish()?;
    let question = question.map_err(|wrong| ApiError::Input(ServiceError::Invalid(wrong)))?;
    let used = state.services.verify_key(&permitted.caller, question, &permitted.origin).await?;
    Ok(private_json(200, &verdict(&used)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<Verification>(|fields| drop(question(fields)));
    }
}
