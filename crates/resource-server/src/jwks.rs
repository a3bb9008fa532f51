//! The issuer's public keys (RFC 7517), kept in memory and fetched when they are needed.

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

/// A key of another algorithm is not used, whatever the issuer publishes.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA];

/// A key that verifies tokens, of one algorithm only (RFC 8725 section 3.1).
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

type Keys = HashMap<String, Arc<Key>>;

/// The keys of one issuer, shared by all threads of a service.
pub(crate) struct Jwks {
    http: Http,
    issuer: String,
    /// The issuer is asked no more often than this, whatever `kid`s the senders of tokens make up.
    pause: Duration,
    uri: OnceCell<Url>,
    cached: RwLock<Cached>,
    /// Whoever holds it is asking; the others wait for the one answer.
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

/// Until when keys may be used: as they are, while they are fetched anew, and while they cannot be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Freshness {
    fresh: Instant,
    revalidating: Instant,
    failing: Instant,
}

impl Freshness {
    /// What `Cache-Control` says (RFC 9111 section 5.2.2.1, RFC 5861), within bounds: a key that was destroyed must go, and
    /// an issuer must not be asked for every request.
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

    /// After a fetch that failed: nobody waits for the next one, which goes on beside.
    fn after_failure(self, now: Instant) -> Self {
        Self { revalidating: self.revalidating.max(now + Duration::from_secs(60)).min(self.failing), ..self }
    }
}

impl Jwks {
    pub(crate) fn new(http: Http, issuer: String, pause: Duration) -> Self {
        let now = Instant::now();
        let until = Freshness { fresh: now, revalidating: now, failing: now };
        let cached = RwLock::new(Cached { keys: Keys::new(), until });
        Self { http, issuer, pause, uri: OnceCell::new(), cached, last: Arc::default() }
    }

    /// The key with an id. One that is not known may be new, so the issuer is asked.
    pub(crate) async fn find(self: &Arc<Self>, kid: &str) -> Result<Arc<Key>, Reason> {
        let (key, until) = self.look_up(kid);
        let now = Instant::now();
        match key {
            Some(key) if now < until.fresh => return Ok(key),
            Some(key) if now < until.revalidating => {
                self.refresh_beside();
                return Ok(key);
            }
            _ => {}
        }
        let is_certain = self.refresh().await;
        let (key, until) = self.look_up(kid);
        match key {
            Some(key) if is_certain || Instant::now() < until.failing => Ok(key),
            None if is_certain => Err(Reason::InvalidToken),
            _ => Err(Reason::Unavailable { retry_after: self.pause.as_secs().max(1) }),
        }
    }

    fn look_up(&self, kid: &str) -> (Option<Arc<Key>>, Freshness) {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        (cached.keys.get(kid).cloned(), cached.until)
    }

    /// Asks the issuer, unless that was done a moment ago. Whether it answered.
    async fn refresh(self: &Arc<Self>) -> bool {
        let last = Arc::clone(&self.last).lock_owned().await;
        if let Some(attempt) = self.recent(last.as_ref()) {
            return attempt.succeeded;
        }
        // A task of its own: a caller who hangs up does not end it, or the next would have to ask again.
        tokio::spawn(Arc::clone(self).attempt(last)).await.unwrap_or(false)
    }

    /// Likewise, but nobody waits.
    fn refresh_beside(self: &Arc<Self>) {
        if let Ok(last) = Arc::clone(&self.last).try_lock_owned()
            && self.recent(last.as_ref()).is_none()
        {
            tokio::spawn(Arc::clone(self).attempt(last));
        }
    }

    fn recent<'a>(&self, last: Option<&'a Attempt>) -> Option<&'a Attempt> {
        last.filter(|attempt| attempt.ended_at.elapsed() < self.pause)
    }

    async fn attempt(self: Arc<Self>, mut last: OwnedMutexGuard<Option<Attempt>>) -> bool {
        let answer = self.fetch().await;
        let succeeded = answer.is_ok();
        {
            let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(answer) => *cached = answer,
                Err(error) => {
                    log::warn!("no keys from {}: {error}", self.issuer);
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
        for (kid, key) in set.keys.into_iter().filter_map(usable) {
            if keys.insert(kid.clone(), Arc::new(key)).is_some() {
                return Err(FetchError::SameId(kid));
            }
        }
        Ok(Cached { keys, until })
    }

    /// The address of the keys, from the metadata of the issuer (RFC 8414 section 3).
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

/// Keys that are read one by one, so that one of a kind to come does not hide the others (RFC 7517 section 5).
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// A key with its id, if it is one that signs tokens.
fn usable(jwk: Value) -> Option<(String, Key)> {
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
