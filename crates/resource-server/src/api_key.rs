//! API keys, about which Sealwright is asked: `POST /api/v1/keys/verify`.

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
/// Longest text that is asked about as a key.
const KEY_MAX: usize = 256;
/// Most characters of what is sent along for the audit log.
const NOTE_MAX: usize = 512;
const RETRY_AFTER: u64 = 5;
const RETRY_AFTER_MAX: u64 = 24 * 3600;

pub(crate) struct KeyVerifier {
    pub(crate) http: Http,
    pub(crate) url: Url,
    /// The service's own key, marked as sensitive.
    pub(crate) own_key: HeaderValue,
    pub(crate) environment: Environment,
}

/// What Sealwright is asked. It has no `Debug`, for it has a key.
#[derive(Serialize)]
struct Question<'a> {
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
struct Answer {
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
    /// One of a version to come.
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
    /// Whom a key speaks for, at this moment, if it has these scopes.
    pub(crate) async fn verify(
        &self,
        key: &str,
        scopes: &'static [&'static str],
        address: Option<IpAddr>,
        request: &HttpRequest,
    ) -> Result<Caller, Reason> {
        // What cannot be a key is no reason to ask.
        if key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Reason::InvalidKey);
        }
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        let question = Question {
            key,
            environment: self.environment,
            scopes,
            ip: address.map(|address| address.to_canonical()),
            method: request.method().as_str(),
            path: start_of(request.path()),
            user_agent: user_agent.map(start_of),
        };
        match self.ask(&question).await {
            Ok(answer) => self.caller(answer, scopes),
            Err(error) => {
                log::error!("API keys cannot be verified: {error}");
                Err(Reason::Unavailable { retry_after: RETRY_AFTER })
            }
        }
    }

    async fn ask(&self, question: &Question<'_>) -> Result<Answer, FetchError> {
        let request = self.http.post(self.url.clone()).header(API_KEY, self.own_key.clone()).json(question);
        read(send(request).await?).await
    }

    fn caller(&self, answer: Answer, scopes: &'static [&'static str]) -> Result<Caller, Reason> {
        match (answer.code, answer.id) {
            (Code::Valid, Some(credential)) if answer.valid => Ok(Caller {
                credential,
                kind: CallerKind::ApiKey,
                scopes: answer.scopes.unwrap_or_default(),
                customers: answer.customers.unwrap_or_default(),
                owner: answer.owner,
                environment: self.environment,
                token_id: None,
            }),
            (Code::IpNotAllowed, _) => Err(Reason::AddressNotAllowed),
            (Code::WrongCustomer, _) => Err(Reason::WrongCustomer),
            (Code::InsufficientScope, _) => Err(Reason::InsufficientScope(scopes)),
            (Code::RateLimited, _) => {
                let wait = answer.rate_limit.as_ref().and_then(RateLimit::seconds).unwrap_or(RETRY_AFTER);
                Err(Reason::RateLimited { retry_after: wait.clamp(1, RETRY_AFTER_MAX) })
            }
            (code, _) => {
                log::debug!("API key refused: {code:?}");
                Err(Reason::InvalidKey)
            }
        }
    }
}

fn start_of(text: &str) -> String {
    text.chars().take(NOTE_MAX).collect()
}
