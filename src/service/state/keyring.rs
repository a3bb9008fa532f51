//! Signing keys, parsed and in memory. Their dates decide which one signs and which are published, so that all nodes
//! switch at the same moment without asking each other.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::sealer::{Purpose, Sealer};
use crate::crypto::jwt::{self, TokenError, TokenSigner, TokenVerifier};
use crate::crypto::signing::KeyPair;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, PublicJwk, SigningKey};
use crate::domain::time::Timestamp;
use crate::domain::token::VerifiedClaims;
use crate::service::error::ServiceError;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Store, StoreError};

/// A parsed key that is ready for use.
#[derive(Debug)]
struct LoadedKey {
    key: SigningKey,
    /// Signs, if the private key could be opened.
    signer: Option<Arc<TokenSigner>>,
    verifier: Arc<TokenVerifier>,
}

/// The signing keys of all environments.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: ArcSwap<Vec<LoadedKey>>,
    /// Held while the stored keys are read and loaded: keys that were read before a change never replace those that
    /// were read after it.
    reloading: tokio::sync::Mutex<()>,
}

impl Keyring {
    /// Loads the stored keys. Keys that are parsed already are kept. A key that cannot be opened is logged and still
    /// verifies. Destroyed keys leave memory here.
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
                            .inspect_err(|_| log::error!("signing key {}: its public key is damaged", stored.key.kid))
                            .ok()?,
                    ),
                };
                let signer = same.and_then(|same| same.signer.clone()).or_else(|| open(&stored, sealer));
                Some(LoadedKey { key: stored.key, signer, verifier })
            })
            .collect();
        self.keys.store(Arc::new(loaded));
    }

    /// Reloads the signing keys from the database.
    ///
    /// # Errors
    /// The database cannot be read; the loaded keys stay.
    pub async fn reload(&self, store: &Store, sealer: &Sealer, now: Timestamp) -> Result<(), StoreError> {
        let _turn = self.reloading.lock().await;
        let stored = store.read(signing_keys::all).await?;
        let sound = stored.into_iter().filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok()).collect();
        self.load(sound, sealer, now);
        Ok(())
    }

    /// Returns the signer of `environment` and `algorithm` at `now`.
    pub fn signer(&self, environment: Environment, algorithm: Algorithm, now: Timestamp) -> Option<Arc<TokenSigner>> {
        self.keys
            .load()
            .iter()
            .filter(|loaded| loaded.key.environment == environment && loaded.key.algorithm == algorithm)
            .find(|loaded| loaded.key.status(now) == KeyStatus::Active)
            .and_then(|loaded| loaded.signer.clone())
    }

    /// Returns the environment and algorithm of the published key that `kid` names.
    pub fn line_of(&self, kid: &str) -> Option<(Environment, Algorithm)> {
        let keys = self.keys.load();
        keys.iter().map(|loaded| &loaded.key).find(|key| &*key.kid == kid).map(|key| (key.environment, key.algorithm))
    }

    /// Verifies `token` as one of `environment`, and returns its claims and the key that it is signed with.
    ///
    /// # Errors
    /// The reason for which the token is not in force.
    pub fn verify(
        &self,
        environment: Environment,
        issuer: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<(VerifiedClaims, Arc<str>), TokenError> {
        let keys = self.keys.load();
        let mut used = None;
        let claims = jwt::verify(token, issuer, now, |kid| {
            used = keys.iter().find(|loaded| {
                loaded.key.environment == environment && &*loaded.key.kid == kid && loaded.key.is_published(now)
            });
            used.map(|loaded| &*loaded.verifier)
        })?;
        let kid = used.map(|loaded| Arc::clone(&loaded.key.kid)).ok_or(TokenError::UnknownKey)?;
        Ok((claims, kid))
    }

    /// The public keys of `environment`: pending, active and retired ones.
    pub fn public_keys(&self, environment: Environment, now: Timestamp) -> Vec<PublicJwk> {
        self.keys
            .load()
            .iter()
            .filter(|loaded| loaded.key.environment == environment && loaded.key.is_published(now))
            .map(|loaded| loaded.key.public_jwk.clone())
            .collect()
    }

    /// Returns whether every environment can sign with each of `algorithms` at `now`.
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
        .inspect_err(|_| log::error!("signing key {kid}: its private key is damaged"))
        .ok()?;
    Some(Arc::new(TokenSigner::new(kid, pair)))
}

/// Creates a key with a sealed private key, which signs from `now`. It is the first of its environment and algorithm
/// unless the caller changes that. RSA takes up to half a second: call it where that delays nothing.
///
/// # Errors
/// The key cannot be created or sealed.
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
