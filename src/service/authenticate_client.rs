//! Who is asking? A client proves itself with one of its live secrets.
//!
//! Every refusal is decided by an HMAC, never by Argon2, so that all of them take the same time and a flood of wrong secrets
//! costs good clients nothing. Argon2 runs once for each live secret and process: for a secret that carries the right tag.

use std::sync::Arc;

use super::Services;
use super::clients_in_memory::KnownClient;
use super::owners::Allowance;
use super::trail::Trail;
use crate::crypto::password::PasswordError;
use crate::domain::api_key::LastUse;
use crate::domain::client::{ClientSecret, LIVE_SECRETS_MAX};
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::domain::time::Timestamp;
use crate::oauth::client_authentication::PresentedCredentials;
use crate::oauth::error::OAuthError;
use crate::store::clients;

/// A refusal: what is said outside, and why it is so inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the answer.
    pub error: OAuthError,
    /// For the audit event.
    pub reason: &'static str,
}

impl Refusal {
    /// A refusal with its true reason.
    pub const fn new(error: OAuthError, reason: &'static str) -> Self {
        Self { error, reason }
    }

    /// A refusal whose reason is no secret.
    pub const fn plain(error: OAuthError) -> Self {
        Self { error, reason: error.error }
    }

    /// The service cannot decide: the database fails.
    pub const STORE: Self = Self::new(OAuthError::UNAVAILABLE, "store_unavailable");
    /// The service cannot decide: its audit event cannot be stored.
    pub const AUDIT: Self = Self::new(OAuthError::UNAVAILABLE, "audit_unavailable");
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::plain(error)
    }
}

/// A client that has proven itself.
#[derive(Debug)]
pub struct AuthenticatedClient {
    /// The client.
    pub known: Arc<KnownClient>,
    /// What its owner allows.
    pub allowance: Allowance,
}

impl Services {
    /// Authenticates the client that `presented` names, as one of `environment` that is active and may come from its
    /// address. `trail` learns the credential as soon as it is known to exist, and who acts once that is proven.
    ///
    /// # Errors
    /// `invalid_client` in one wording for every reason, 429 where guessing goes on, 503 where nothing can be decided.
    pub async fn authenticate_client(
        &self,
        environment: Environment,
        presented: &PresentedCredentials,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, Refusal> {
        let at_hand = self.clients.at_hand(&presented.client_id);
        let id_at_hand = at_hand.as_ref().map(|known| known.client.id.clone());
        let decided = self.check_client(environment, presented, at_hand, trail, now).await;
        match decided {
            Err(refusal) if refusal.error == OAuthError::INVALID_CLIENT => {
                if let Some(id) = id_at_hand {
                    // Whether a client is in memory must not show: its refusal takes the one query of an unknown client, too.
                    let _as_it_was = self.store.read(move |connection| clients::find(connection, &id)).await;
                }
                match self.guessing.failed(&presented.client_id, trail.origin.address, now) {
                    Ok(()) => Err(refusal),
                    Err(seconds) => Err(Refusal::new(OAuthError::too_many_failures(seconds), refusal.reason)),
                }
            }
            decided => decided,
        }
    }

    async fn check_client(
        &self,
        environment: Environment,
        presented: &PresentedCredentials,
        at_hand: Option<Arc<KnownClient>>,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, Refusal> {
        const fn no(reason: &'static str) -> Refusal {
            Refusal::new(OAuthError::INVALID_CLIENT, reason)
        }
        let secret = presented.secret.expose();
        let found = match at_hand {
            Some(known) => Some(known),
            None => self.clients.fetch(&self.store, &presented.client_id).await.map_err(|error| {
                log::error!("{error}");
                Refusal::STORE
            })?,
        };
        let Some(known) = found else {
            self.place_of(&presented.client_id, std::iter::empty(), secret);
            return Err(no("unknown_client"));
        };
        trail.credential = Some(Arc::clone(&known.id));
        let client = &known.client;
        // What is done with a client, and be it at another issuer, is its own environment's business.
        trail.environment = Some(client.environment);
        trail.of_customers(&client.customers, None);
        let Some(place) = self.place_of(&known.id, client.live_secrets(now), secret) else {
            return Err(no("wrong_secret"));
        };
        if client.environment != environment {
            return Err(no("wrong_environment"));
        }
        match client.status(now) {
            Status::Active => {}
            Status::Inactive => return Err(no("client_disabled")),
            Status::Expired => return Err(no("client_expired")),
            Status::Revoked => return Err(no("client_revoked")),
        }
        let allowance = self.allowance(client.owner.as_ref()).await.map_err(|error| {
            log::error!("{error}");
            Refusal::STORE
        })?;
        if matches!(allowance, Allowance::Nothing) {
            return Err(no("owner_inactive"));
        }
        if !client.allowed_ips.admit(trail.origin.address) {
            return Err(no("address_not_allowed"));
        }
        if !self.secret_passes(&known, place, secret).await? {
            return Err(no("wrong_secret"));
        }
        self.in_use.note_secret(place.id.shared(), LastUse { at: now, address: trail.origin.address });
        trail.authenticated(&known.id);
        Ok(AuthenticatedClient { known, allowance })
    }

    /// The one of a client's live secrets that `secret` was made as. An unknown client, a wrong secret and one of several
    /// live ones cost the same: as many tags as a client can have live secrets.
    fn place_of<'c>(
        &self,
        client_id: &str,
        live: impl Iterator<Item = &'c ClientSecret>,
        secret: &str,
    ) -> Option<&'c ClientSecret> {
        let places = live.map(Some).chain(std::iter::repeat(None)).take(LIVE_SECRETS_MAX);
        places.fold(None, |found, place| {
            let made = self.mint.made(client_id, place.map_or("", |place| place.id.as_str()), secret);
            found.or(place.filter(|_| made))
        })
    }

    /// Argon2 once: a secret that passed is remembered as a keyed digest for as long as the client stays as it is.
    async fn secret_passes(&self, known: &KnownClient, place: &ClientSecret, secret: &str) -> Result<bool, Refusal> {
        let digest = self.clients.digest_key.digest(&[place.id.as_str().as_bytes(), secret.as_bytes()]);
        if known.has_passed(&place.id, &digest) {
            return Ok(true);
        }
        let _one_at_a_time = known.checking.lock().await;
        if known.has_passed(&place.id, &digest) {
            return Ok(true);
        }
        let passes = self.passwords.verify(secret, &place.hash).await.map_err(|error| match error {
            PasswordError::Busy => Refusal::new(OAuthError::UNAVAILABLE, "overloaded"),
            PasswordError::Failed => {
                log::error!("client {}: secret {}: its hash is damaged", known.id, place.id);
                Refusal::new(OAuthError::SERVER_ERROR, "damaged_secret")
            }
        })?;
        if passes {
            known.remember(&place.id, digest);
        }
        Ok(passes)
    }
}
