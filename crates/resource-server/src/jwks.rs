//! Fetches and caches the issuer's public keys (RFC 7517).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use reqwest::header::CACHE_CONTROL;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell, OwnedMutexGuard};

use crate::http::{FetchError, Http, read, send};
use crate::refusal::Reason;

/// The algorithms that are accepted. A published key of another algorithm is ignored.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA];

/// A public key, for one algorithm only (RFC 8725 section 3.1).
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

type Keys = HashMap<String, Arc<Key>>;

/// The keys of one issuer, shared by all threads.
pub(crate) struct Jwks {
    http: Http,
    issuer: String,
    /// The shortest time between two fetches, so that tokens with made-up key ids cost the issuer nothing.
    refetch_interval: Duration,
    uri: OnceCell<Url>,
    cached: RwLock<Cached>,
    /// Held during a fetch, so that concurrent requests wait for one response.
    last: Arc<Mutex<Option<Attempt>>>,
}

struct Cached {
    keys: Keys,
    until: Freshness,
}

struct Attempt {
    ended_at: Instant,
    succeeded: bool,
}

/// Until when cached keys may be used: without a fetch, during one in the background, and while fetches fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Freshness {
    fresh: Instant,
    revalidating: Instant,
    failing: Instant,
}

impl Freshness {
    /// Reads `Cache-Control` (RFC 9111 section 5.2.2.1, RFC 5861), within bounds: a destroyed key must disappear from
    /// the cache, and the issuer must not be asked for every request.
    fn new(cache_control: &str, now: Instant) -> Self {
        let seconds = |name: &str, default: u64, max: u64| {
            let mut directives = cache_control.split(',').filter_map(|one| one.trim().split_once('='));
            let value = directives.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then(|| value.parse()));
            Duration::from_secs(value.and_then(Result::ok).unwrap_or(default).min(max))
        };
        let fresh = now + seconds("max-age", 300, 3600);
        Self {
            fresh,
            revalidating: fresh + seconds("stale-while-revalidate", 0, 300),
            failing: fresh + seconds("stale-if-error", 24 * 3600, 24 * 3600),
        }
    }

    /// Returns the freshness after a failed fetch: for a minute, the next fetches run in the background.
    fn after_failure(self, now: Instant) -> Self {
        Self { revalidating: self.revalidating.max(now + Duration::from_secs(60)).min(self.failing), ..self }
    }
}

impl Jwks {
    pub(crate) fn new(http: Http, issuer: String, refetch_interval: Duration) -> Self {
        let now = Instant::now();
        let until = Freshness { fresh: now, revalidating: now, failing: now };
        let cached = RwLock::new(Cached { keys: Keys::new(), until });
        Self { http, issuer, refetch_interval, uri: OnceCell::new(), cached, last: Arc::default() }
    }

    /// Finds the key with an id. An unknown id may be new, so the keys are fetched again.
    pub(crate) async fn find(self: &Arc<Self>, kid: &str) -> Result<Arc<Key>, Reason> {
        let (key, until) = self.look_up(kid);
        let now = Instant::now();
        match key {
            Some(key) if now < until.fresh => return Ok(key),
            Some(key) if now < until.revalidating => {
                self.refresh_in_background();
                return Ok(key);
            }
            _ => {}
        }
        let is_current = self.refresh().await;
        let (key, until) = self.look_up(kid);
        match key {
            Some(key) if is_current || Instant::now() < until.failing => Ok(key),
            None if is_current => Err(Reason::InvalidToken),
            _ => Err(Reason::Unavailable { retry_after: self.refetch_interval.as_secs().max(1) }),
        }
    }

    fn look_up(&self, kid: &str) -> (Option<Arc<Key>>, Freshness) {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        (cached.keys.get(kid).cloned(), cached.until)
    }

    /// Fetches the keys unless that was done a moment ago. Returns whether the last fetch succeeded.
    async fn refresh(self: &Arc<Self>) -> bool {
        let last = Arc::clone(&self.last).lock_owned().await;
        if let Some(attempt) = self.recent(last.as_ref()) {
            return attempt.succeeded;
        }
        // A task of its own continues when the caller hangs up.
        tokio::spawn(Arc::clone(self).attempt(last)).await.unwrap_or(false)
    }

    /// Starts to fetch the keys unless that was done a moment ago, and does not wait.
    fn refresh_in_background(self: &Arc<Self>) {
        if let Ok(last) = Arc::clone(&self.last).try_lock_owned()
            && self.recent(last.as_ref()).is_none()
        {
            tokio::spawn(Arc::clone(self).attempt(last));
        }
    }

    fn recent<'a>(&self, last: Option<&'a Attempt>) -> Option<&'a Attempt> {
        last.filter(|attempt| attempt.ended_at.elapsed() < self.refetch_interval)
    }

    async fn attempt(self: Arc<Self>, mut last: OwnedMutexGuard<Option<Attempt>>) -> bool {
        let fetched = self.fetch().await;
        let succeeded = fetched.is_ok();
        {
            let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
            match fetched {
                Ok(fetched) => *cached = fetched,
                Err(error) => {
                    log::warn!("the keys of {} cannot be fetched: {error}", self.issuer);
                    cached.until = cached.until.after_failure(Instant::now());
                }
            }
        }
        *last = Some(Attempt { ended_at: Instant::now(), succeeded });
        succeeded
    }

    async fn fetch(&self) -> Result<Cached, FetchError> {
        let uri = self.uri.get_or_try_init(|| self.discover()).await?;
        let response = send(self.http.get(uri.clone())).await?;
        let cache_control = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let until = Freshness::new(cache_control.unwrap_or_default(), Instant::now());
        let set: KeySet = read(response).await?;
        let mut keys = Keys::new();
        for (kid, key) in set.keys.into_iter().filter_map(parse_key) {
            if keys.insert(kid.clone(), Arc::new(key)).is_some() {
                return Err(FetchError::DuplicateKeyId(kid));
            }
        }
        Ok(Cached { keys, until })
    }

    /// Finds the address of the keys in the issuer's metadata (RFC 8414 section 3).
    async fn discover(&self) -> Result<Url, FetchError> {
        let base = self.issuer.trim_end_matches('/');
        let url = self.http.url(&format!("{base}/.well-known/oauth-authorization-server"))?;
        let metadata: Metadata = read(send(self.http.get(url)).await?).await?;
        if metadata.issuer != self.issuer {
            return Err(FetchError::OtherIssuer(metadata.issuer));
        }
        Ok(self.http.url(&metadata.jwks_uri)?)
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// A key set. The keys are parsed one by one, so that an unknown kind of key does not hide the others (RFC 7517 section
/// 5).
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// Parses a key and its id. Returns `None` for a key that does not sign tokens.
fn parse_key(jwk: Value) -> Option<(String, Key)> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let algorithm: Algorithm = jwk.common.key_algorithm?.try_into().ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let is_for_signatures = jwk.common.public_key_use == Some(PublicKeyUse::Signature);
    let fits = ALGORITHMS.contains(&algorithm) && key.family() == algorithm.family();
    (is_for_signatures && fits).then_some((jwk.common.key_id?, Key { algorithm, key }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_what_the_issuer_says_within_bounds() {
        let now = Instant::now();
        for (cache_control, fresh, revalidating, failing) in [
            ("public, max-age=300, stale-while-revalidate=60, stale-if-error=3600", 300, 360, 3900),
            ("Max-Age=10,STALE-IF-ERROR=20", 10, 10, 30),
            ("max-age=0, stale-if-error=0", 0, 0, 0),
            ("no-store", 300, 300, 300 + 86_400),
            ("max-age=ten, stale-if-error=-1", 300, 300, 300 + 86_400),
            ("max-age=99999999999999999999", 300, 300, 300 + 86_400),
            ("max-age=9999999, stale-while-revalidate=9999999, stale-if-error=9999999", 3600, 3900, 90_000),
        ] {
            let at = |seconds| now + Duration::from_secs(seconds);
            let expected = Freshness { fresh: at(fresh), revalidating: at(revalidating), failing: at(failing) };
            assert_eq!(Freshness::new(cache_control, now), expected, "{cache_control}");
        }
    }

    #[test]
    fn a_failure_makes_no_key_live_longer() {
        let now = Instant::now();
        let until = Freshness::new("max-age=10, stale-if-error=30", now);
        let later = until.after_failure(now + Duration::from_secs(11));
        assert_eq!(later.revalidating, until.failing);
        assert_eq!((later.fresh, later.failing), (until.fresh, until.failing));
    }
}
