//! Signing keys in memory, parsed. Which one signs, and which are published, is decided by the dates they carry, so
//! that every node changes over at the same moment and asks nobody.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::sealer::{Purpose, Sealer};
use crate::crypto::jwt::{TokenSigner, TokenVerifier};
use crate::crypto::signing::KeyPair;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Timestamp;
use crate::service::error::ServiceError;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Store, StoreError};

/// A key that is ready for use.
#[derive(Debug)]
struct LoadedKey {
    key: SigningKey,
    /// Signs, where the private half could be opened.
    signer: Option<Arc<TokenSigner>>,
    verifier: Arc<TokenVerifier>,
}

/// The keys of all environments.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: ArcSwap<Vec<LoadedKey>>,
    /// One at a time reads the stored keys and takes them over: what was read before a change never replaces what was
    /// read after it.
    reloading: tokio::sync::Mutex<()>,
}

impl Keyring {
    /// Takes over the stored keys. Keys that are parsed already are kept; one that cannot be opened still verifies, and
    /// is logged. Destroyed keys leave memory here.
    fn load(&self, stored: Vec<StoredKey>, sealer: &Sealer, now: Timestamp) {
        let known = self.keys.load();
        let loaded = stored
            .into_iter()
            .filter(|stored| stored.key.is_published(now))
            .filter_map(|stored| {
                let same = known.iter().find(|known| known.key.kid == stored.key.kid);
                let verifier = match same {
                    Some(same) => Arc::clone(&same.verifier),
                    None => Arc::new(
                        TokenVerifier::new(&stored.key)
                            .inspect_err(|_| log::error!("signing key {}: its public half is damaged", stored.key.kid))
                            .ok()?,
                    ),
                };
                let signer = same.and_then(|same| same.signer.clone()).or_else(|| open(&stored, sealer));
                Some(LoadedKey { key: stored.key, signer, verifier })
            })
            .collect();
        self.keys.store(Arc::new(loaded));
    }

    /// Takes the signing keys over from the database.
    ///
    /// # Errors
    /// The database cannot be read; the keys in use stay.
    pub async fn reload(&self, store: &Store, sealer: &Sealer, now: Timestamp) -> Result<(), StoreError> {
        let _turn = self.reloading.lock().await;
        let stored = store.read(signing_keys::all).await?;
        let sound = stored.into_iter().filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok()).collect();
        self.load(sound, sealer, now);
        Ok(())
    }

    /// The signer of `environment` and `algorithm` at `now`.
    pub fn signer(&self, environment: Environment, algorithm: Algorithm, now: Timestamp) -> Option<Arc<TokenSigner>> {
        self.keys
            .load()
            .iter()
            .filter(|loaded| loaded.key.environment == environment && loaded.key.algorithm == algorithm)
            .find(|loaded| loaded.key.status(now) == KeyStatus::Active)
            .and_then(|loaded| loaded.signer.clone())
    }

    /// The environment and algorithm of the published key that `kid` names.
    pub fn line_of(&self, kid: &str) -> Option<(Environment, Algorithm)> {
        let keys = self.keys.load();
        keys.iter().map(|loaded| &loaded.key).find(|key| &*key.kid == kid).map(|key| (key.environment, key.algorithm))
    }

    /// Verifies `token` as one of `environment`.
    ///
    /// # Errors
    /// Why it is none in force.
    pub fn verify(
        &self,
        environment: Environment,
        issuer: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<crate::domain::token::VerifiedClaims, crate::crypto::jwt::TokenError> {
        let keys = self.keys.load();
        crate::crypto::jwt::verify(token, issuer, now, |kid| {
            keys.iter()
                .find(|loaded| {
                    loaded.key.environment == environment && &*loaded.key.kid == kid && loaded.key.is_published(now)
                })
                .map(|loaded| &*loaded.verifier)
        })
    }

    /// The public keys of `environment` as a JWK Set (RFC 7517 §5): pending, active and retired ones.
    pub fn jwks(&self, environment: Environment, now: Timestamp) -> serde_json::Value {
        let keys: Vec<serde_json::Value> = self
            .keys
            .load()
            .iter()
            .filter(|loaded| loaded.key.environment == environment && loaded.key.is_published(now))
            .map(|loaded| loaded.key.public_jwk.clone())
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// Whether every environment can sign with every one of `algorithms` at `now`.
    pub fn is_complete(&self, algorithms: &[Algorithm], now: Timestamp) -> bool {
        Environment::ALL
            .into_iter()
            .all(|environment| algorithms.iter().all(|algorithm| self.signer(environment, *algorithm, now).is_some()))
    }
}

fn open(stored: &StoredKey, sealer: &Sealer) -> Option<Arc<TokenSigner>> {
    let kid = &stored.key.kid;
    let sealed = stored.private_key_sealed.as_deref()?;
    let pkcs8 = sealer
        .open(Purpose::SigningKey, kid, sealed)
        .inspect_err(|error| log::error!("signing key {kid}: {error}"))
        .ok()?;
    let pair = KeyPair::parse(stored.key.algorithm, &pkcs8)
        .inspect_err(|_| log::error!("signing key {kid}: its private half is damaged"))
        .ok()?;
    Some(Arc::new(TokenSigner::new(kid, pair)))
}

/// Makes a new key, the first of its line unless changed, signing from `now`; its private half is sealed. This takes up
/// to half a second for RSA: to be called where that holds up nobody.
///
/// # Errors
/// The library or the system fails.
pub fn make(
    sealer: &Sealer,
    environment: Environment,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<StoredKey, ServiceError> {
    let pkcs8 = KeyPair::generate(algorithm)?;
    let (kid, public_jwk) = KeyPair::parse(algorithm, &pkcs8)?.public_jwk();
    Ok(StoredKey {
        private_key_sealed: Some(sealer.seal(Purpose::SigningKey, &kid, &pkcs8)?),
        key: SigningKey {
            kid: kid.into(),
            environment,
            algorithm,
            generation: 1,
            public_jwk,
            created_at: now,
            activates_at: now,
            retires_at: None,
            destroyed_at: None,
        },
    })
}
