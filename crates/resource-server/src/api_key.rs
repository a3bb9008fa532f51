//! Verifies API keys with Sealwright: `POST /api/v1/keys/verify`.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::caller::{Caller, CallerKind, Environment};
use crate::http::{FetchError, Http, read, send};
use crate::refusal::Reason;

/// The header that carries an API key.
pub(crate) const API_KEY: &str = "x-api-key";
/// The length of the longest value that is sent to Sealwright as a key.
const KEY_MAX: usize = 256;
/// The length to which the path and the user agent are cut for the audit log.
const DETAIL_MAX: usize = 512;
const RETRY_AFTER: u64 = 5;
const RETRY_AFTER_MAX: u64 = 24 * 3600;

pub(crate) struct KeyVerifier {
    pub(crate) http: Http,
    pub(crate) url: Url,
    /// The service's own key. It is marked as sensitive, so that it is not logged.
    pub(crate) own_key: HeaderValue,
    pub(crate) environment: Environment,
}

/// The body of the request. It has no `Debug`, because it has a key.
#[derive(Serialize)]
struct VerifyRequest<'a> {
    key: &'a str,
    environment: Environment,
    scopes: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    method: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
}

#[derive(Deserialize)]
struct VerifyResponse {
    valid: bool,
    code: Code,
    id: Option<String>,
    owner: Option<String>,
    customers: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    rate_limit: Option<RateLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Code {
    Valid,
    NotFound,
    Revoked,
    Expired,
    Disabled,
    WrongEnvironment,
    IpNotAllowed,
    WrongCustomer,
    RateLimited,
    InsufficientScope,
    /// A code of a later version of Sealwright.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct RateLimit {
    retry_after: Option<f64>,
}

impl RateLimit {
    fn seconds(&self) -> Option<u64> {
        let wait = Duration::try_from_secs_f64(self.retry_after?).ok()?;
        Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }
}

impl KeyVerifier {
    /// Verifies that a key is valid now and has these scopes. Returns the caller.
    pub(crate) async fn verify(
        &self,
        key: &str,
        scopes: &'static [&'static str],
        address: Option<IpAddr>,
        request: &HttpRequest,
    ) -> Result<Caller, Reason> {
        // A value that cannot be a key is not sent.
        if key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Reason::InvalidKey);
        }
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        let body = VerifyRequest {
            key,
            environment: self.environment,
            scopes,
            ip: address.map(|address| address.to_canonical()),
            method: request.method().as_str(),
            path: shorten(request.path()),
            user_agent: user_agent.map(shorten),
        };
        match self.send(&body).await {
            Ok(response) => self.caller(response, scopes),
            Err(error) => {
                log::error!("API keys cannot be verified: {error}");
                Err(Reason::Unavailable { retry_after: RETRY_AFTER })
            }
        }
    }

    async fn send(&self, body: &VerifyRequest<'_>) -> Result<VerifyResponse, FetchError> {
        let request = self.http.post(self.url.clone()).header(API_KEY, self.own_key.clone()).json(body);
        read(send(request).await?).await
    }

    fn caller(&self, response: VerifyResponse, scopes: &'static [&'static str]) -> Result<Caller, Reason> {
        match (response.code, response.id, response.customers) {
            // Without its customers, a key that is tied to some would look like one that acts for all.
            (Code::Valid, Some(credential), Some(customers)) if response.valid => Ok(Caller {
                credential,
                kind: CallerKind::ApiKey,
                scopes: response.scopes.unwrap_or_default(),
                customers,
                owner: response.owner,
                environment: self.environment,
                token_id: None,
            }),
            (Code::IpNotAllowed, ..) => Err(Reason::AddressNotAllowed),
            (Code::WrongCustomer, ..) => Err(Reason::WrongCustomer),
            (Code::InsufficientScope, ..) => Err(Reason::InsufficientScope(scopes)),
            (Code::RateLimited, ..) => {
                let wait = response.rate_limit.as_ref().and_then(RateLimit::seconds).unwrap_or(RETRY_AFTER);
                Err(Reason::RateLimited { retry_after: wait.clamp(1, RETRY_AFTER_MAX) })
            }
            (code, ..) => {
                log::debug!("API key refused: {code:?}");
                Err(Reason::InvalidKey)
            }
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(DETAIL_MAX).collect()
}
