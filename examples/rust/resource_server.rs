//! An API that verifies Sealwright's tokens by itself, without asking for each.
//!
//! ```text
//! SEALWRIGHT_ISSUER  the issuer whose tokens are accepted
//! AUDIENCE           the name of this API, which a token must carry as `aud`
//! HOST, PORT         where to listen: 127.0.0.1 and 8000 unless set; 0 is any free port
//!
//! resource-server
//! ```
//!
//! [`Guard`] is the part to take along.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for the terminal

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError, get, web};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::header::CACHE_CONTROL;
use reqwest::redirect;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

#[get("/orders")]
async fn orders(request: HttpRequest, guard: web::Data<Guard>) -> Result<web::Json<Value>, Refusal> {
    let claims = guard.authorize(request.headers(), "orders:read").await?;
    Ok(web::Json(json!({"orders": [{"id": 1, "item": "sealing wax"}], "client_id": claims.client_id})))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let required = |name: &str| setting(name).ok_or_else(|| format!("set {name} in the environment"));
    let guard = web::Data::new(Guard::new(required("SEALWRIGHT_ISSUER")?, required("AUDIENCE")?)?);
    let host = setting("HOST").unwrap_or_else(|| "127.0.0.1".to_owned());
    let port: u16 = setting("PORT").map_or(Ok(8000), |port| port.parse())?;

    let server = HttpServer::new(move || App::new().app_data(guard.clone()).service(orders)).bind((host, port))?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    Ok(server.run().await?)
}

/// What a token says of its bearer. A token without these is no access token (RFC 9068 section 2.2).
#[derive(Deserialize)]
#[expect(dead_code, reason = "some are there to be required")]
struct Claims {
    client_id: String,
    sub: String,
    jti: String,
    iat: u64,
    #[serde(default)]
    scope: String,
}

/// Says of each request whether it carries a token that allows what it asks for.
struct Guard {
    keys: Keys,
    audience: String,
}

impl Guard {
    fn new(issuer: String, audience: String) -> reqwest::Result<Self> {
        Ok(Self { keys: Keys::new(issuer)?, audience })
    }

    /// The claims of the token that a request carries, if it has a scope.
    async fn authorize(&self, headers: &HeaderMap, scope: &'static str) -> Result<Claims, Refusal> {
        let credentials = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = match credentials.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(Refusal::NoToken),
        };
        let claims = self.verify(token).await?;
        if !claims.scope.split(' ').any(|granted| covers(granted, scope)) {
            return Err(Refusal::InsufficientScope(scope));
        }
        Ok(claims)
    }

    /// The claims of an access token (RFC 9068 section 4).
    async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        let header = jsonwebtoken::decode_header(token)?;
        // Keeps other JWTs of the same issuer from passing as access tokens.
        let typ = header.typ.unwrap_or_default().to_ascii_lowercase();
        if !matches!(typ.as_str(), "at+jwt" | "application/at+jwt") || header.crit.is_some() {
            return Err(Refusal::InvalidToken);
        }
        let key = self.keys.find(&header.kid.ok_or(Refusal::InvalidToken)?).await?;
        // The algorithm is the key's, never the token's: what an attacker may choose protects nothing.
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.keys.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        validation.leeway = 0;
        Ok(jsonwebtoken::decode(token, &key.key, &validation)?.claims)
    }
}

/// Whether a granted scope covers a required one, by Sealwright's rules: a level (`read`, `write`, `delete`) covers that
/// action on every resource, `orders:*` every action on orders, and `admin` everything.
fn covers(granted: &str, required: &str) -> bool {
    let by_part = required.split_once(':').is_some_and(|(resource, action)| {
        granted == action || granted.strip_suffix(":*").is_some_and(|granted| granted == resource)
    });
    granted == required || granted == "admin" || by_part
}

/// A key of another kind is not used.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA];
/// The issuer is asked no more often than this, whatever `kid`s the senders of tokens make up.
const PAUSE: Duration = Duration::from_secs(5);

/// The issuer's public keys, fetched when they are needed.
struct Keys {
    http: reqwest::Client,
    issuer: String,
    jwks_uri: OnceCell<String>,
    current: RwLock<Arc<KeySet>>,
    last_attempt: Mutex<Option<Attempt>>,
}

struct Attempt {
    ended_at: Instant,
    succeeded: bool,
}

/// What the issuer said, and for how long it may be used (RFC 9111 section 5.2.2.1, RFC 5861 section 4).
struct KeySet {
    by_id: HashMap<String, Arc<Key>>,
    fresh_until: Instant,
    usable_until: Instant,
}

struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Keys {
    fn new(issuer: String) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().timeout(PAUSE).redirect(redirect::Policy::none()).build()?;
        let none_yet = KeySet { by_id: HashMap::new(), fresh_until: Instant::now(), usable_until: Instant::now() };
        let current = RwLock::new(Arc::new(none_yet));
        Ok(Self { http, issuer, jwks_uri: OnceCell::new(), current, last_attempt: Mutex::default() })
    }

    /// The key with an id. One that is not known may be new, so the issuer is asked.
    async fn find(&self, id: &str) -> Result<Arc<Key>, Refusal> {
        let known = self.current();
        match known.by_id.get(id) {
            Some(key) if Instant::now() < known.fresh_until => return Ok(Arc::clone(key)),
            _ => {}
        }
        let is_certain = self.refresh().await;
        let known = self.current();
        match known.by_id.get(id) {
            Some(key) if is_certain || Instant::now() < known.usable_until => Ok(Arc::clone(key)),
            None if is_certain => Err(Refusal::InvalidToken),
            _ => Err(Refusal::KeysUnavailable),
        }
    }

    fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the issuer, unless that was done a moment ago. Whether it answered.
    async fn refresh(&self) -> bool {
        let mut last = self.last_attempt.lock().await; // those who come meanwhile wait for the one request
        if let Some(attempt) = &*last
            && attempt.ended_at.elapsed() < PAUSE
        {
            return attempt.succeeded;
        }
        let answer = self.fetch().await;
        let succeeded = answer.is_ok();
        match answer {
            Ok(keys) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys),
            Err(error) => eprintln!("no keys: {error}"),
        }
        *last = Some(Attempt { ended_at: Instant::now(), succeeded });
        succeeded
    }

    async fn fetch(&self) -> Result<KeySet, Box<dyn Error>> {
        let url = self.jwks_uri.get_or_try_init(|| self.discover()).await?;
        let response = self.http.get(url).send().await?.error_for_status()?;
        let cache_control = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let seconds = |name: &str, default: u32| {
            let mut directives =
                cache_control.unwrap_or_default().split(',').filter_map(|one| one.trim().split_once('='));
            let value = directives.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then(|| value.parse()));
            Duration::from_secs(value.and_then(Result::ok).unwrap_or(default).into())
        };
        let fresh_until = Instant::now() + seconds("max-age", 300);
        let usable_until = fresh_until + seconds("stale-if-error", 24 * 3600);
        let set: JwkSet = response.json().await?;
        Ok(KeySet { by_id: set.keys.iter().filter_map(usable).collect(), fresh_until, usable_until })
    }

    /// The address of the keys, from the metadata of the issuer (RFC 8414).
    async fn discover(&self) -> Result<String, Box<dyn Error>> {
        let url = format!("{}/.well-known/oauth-authorization-server", self.issuer.trim_end_matches('/'));
        let metadata: Metadata = self.http.get(&url).send().await?.error_for_status()?.json().await?;
        if metadata.issuer != self.issuer {
            // RFC 8414 section 3.3
            return Err(format!("{url} speaks for {:?}, not for {:?}", metadata.issuer, self.issuer).into());
        }
        Ok(metadata.jwks_uri)
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// A key with its id, if it is one that signs tokens.
fn usable(jwk: &Jwk) -> Option<(String, Arc<Key>)> {
    let algorithm = jwk.common.key_algorithm?.try_into().ok().filter(|algorithm| ALGORITHMS.contains(algorithm))?;
    let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let key = DecodingKey::from_jwk(jwk).ok().filter(|_| is_for_signatures)?;
    Some((jwk.common.key_id.clone()?, Arc::new(Key { algorithm, key })))
}

/// Why a request is not served (RFC 6750 section 3).
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("This needs an access token")]
    NoToken,
    #[error("The access token is expired, malformed or not meant for this API")]
    InvalidToken,
    #[error("The access token lacks a scope")]
    InsufficientScope(&'static str),
    /// Neither yes nor no: the caller is to come again, not to throw its token away.
    #[error("Tokens cannot be verified at the moment")]
    KeysUnavailable,
}

impl From<jsonwebtoken::errors::Error> for Refusal {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        eprintln!("token refused: {error:?}"); // escaped: it may quote what the sender wrote
        Self::InvalidToken
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        let (code, scope) = match self {
            // A request without a token has done nothing wrong (section 3.1).
            Self::NoToken => {
                response.insert_header((WWW_AUTHENTICATE, r#"Bearer realm="orders""#));
                return response.json(json!({"error_description": self.to_string()}));
            }
            Self::KeysUnavailable => {
                response.insert_header((RETRY_AFTER, PAUSE.as_secs()));
                return response.json(json!({"error_description": self.to_string()}));
            }
            Self::InvalidToken => ("invalid_token", String::new()),
            Self::InsufficientScope(scope) => ("insufficient_scope", format!(r#", scope="{scope}""#)),
        };
        let challenge = format!(r#"Bearer realm="orders", error="{code}", error_description="{self}"{scope}"#);
        response.insert_header((WWW_AUTHENTICATE, challenge));
        response.json(json!({"error": code, "error_description": self.to_string()}))
    }
}
