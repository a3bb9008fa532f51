//! Authenticates clients by one of their live secrets.
//!
//! A keyed digest decides about every generated secret, right or wrong, so that all refusals take the same time, a
//! flood of wrong secrets costs good clients nothing, and a client that was never seen costs one query. Argon2 runs
//! only for secrets that have no digest, once for each live secret and process.

use std::net::IpAddr;
use std::sync::Arc;

use super::Refusal;
use crate::crypto::password::PasswordError;
use crate::domain::audit::Reason;
use crate::domain::change::{Basis, Position};
use crate::domain::credential::{Credential, CredentialId, CredentialKind, LastUse, Status};
use crate::domain::customer::Served;
use crate::domain::environment::Environment;
use crate::domain::ids::SecretId;
use crate::domain::time::Timestamp;
use crate::oauth::client_authentication::SecretCredentials;
use crate::oauth::error::OAuthError;
use crate::service::audit_context::Subject;
use crate::service::recorder::Counted;
use crate::service::state::credential_cache::CredentialCache;
use crate::service::state::customers::Customers;
use crate::service::state::failed_authentications::FailedAuthentications;
use crate::service::state::last_used::LastUsed;
use crate::service::state::owners::{Allowance, Owners};
use crate::service::state::proven_secrets::{ProvenSecrets, Unchecked};

/// A client that has authenticated.
#[derive(Debug)]
pub struct AuthenticatedClient {
    /// The client.
    pub credential: Arc<Credential>,
    /// The scopes that its owner allows.
    pub allowance: Allowance,
    /// The customers that it serves now.
    pub served: Served,
    /// What the decision about it is based on.
    pub basis: Basis,
    used: (SecretId, LastUse),
}

impl AuthenticatedClient {
    /// The same, for a decision that is also based on the signing keys of `environment`.
    pub fn on_signing_keys(self, environment: Environment) -> Self {
        Self { basis: self.basis.on_signing_keys(environment), ..self }
    }

    /// Returns the client as the subject of an event.
    pub fn subject(&self) -> Subject {
        Subject::of(&self.credential).authenticated()
    }
}

/// Authenticates clients by their secrets.
#[derive(Debug)]
pub struct ClientAuthenticator {
    /// Cached clients.
    pub credentials: Arc<CredentialCache>,
    /// Cached owners of clients.
    pub owners: Arc<Owners>,
    /// Cached customers.
    pub customers: Arc<Customers>,
    /// Checks secrets.
    pub proven: ProvenSecrets,
    /// The limit on failed authentications.
    pub failures: Arc<FailedAuthentications>,
    /// The last use of secrets.
    pub last_used: Arc<LastUsed>,
}

/// A request of a client that must authenticate.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticationRequest<'r> {
    /// The environment of the issuer that received it.
    pub environment: Environment,
    /// The credentials that the client sent.
    pub sent: &'r SecretCredentials,
    /// The address that the request came from.
    pub address: Option<IpAddr>,
    /// The time of the request.
    pub now: Timestamp,
    /// The state of the database before the first look-up.
    pub position: Position,
    /// What the request has taken from limits.
    pub counted: &'r Counted,
}

impl ClientAuthenticator {
    /// Authenticates the client that `request` names. It must be active, of the request's environment, and allowed from
    /// its address.
    ///
    /// # Errors
    /// `invalid_client` with one wording for every reason, 429 where too many attempts fail, 503 where the service
    /// cannot decide.
    pub async fn authenticate(&self, request: AuthenticationRequest<'_>) -> Result<AuthenticatedClient, Refusal> {
        let client_id = &request.sent.client_id;
        let cached = self.credentials.cached_client(client_id);
        let was_cached = cached.is_some();
        let refusal = match self.check(request, cached).await {
            Err(refusal) if refusal.error == OAuthError::InvalidClient => refusal,
            decided => return decided,
        };
        if was_cached {
            // Whether a client exists must not show in the time: its refusal takes a query that finds nothing, as that
            // of an unknown client does.
            self.credentials.find_nothing(client_id).await;
        }
        match request.counted.failure(|| self.failures.count(client_id, request.address, request.now)) {
            Ok(()) => Err(refusal),
            Err(retry_after) => Err(Refusal { error: OAuthError::TooManyFailures { retry_after }, ..refusal }),
        }
    }

    async fn check(
        &self,
        request: AuthenticationRequest<'_>,
        cached: Option<Arc<Credential>>,
    ) -> Result<AuthenticatedClient, Refusal> {
        let secret = request.sent.secret.expose();
        let found = if cached.is_some() {
            cached
        } else {
            let fetched = self.credentials.fetch_client(&request.sent.client_id).await;
            fetched.map_err(|error| Refusal::store(&error))?
        };
        let Some(credential) = found else {
            let _none = self.proven.find(&request.sent.client_id, std::iter::empty(), secret).await;
            let refusal = invalid_client(Reason::UnknownClient).of(Subject::claiming(&request.sent.client_id));
            let basis = Basis::at(request.position);
            return Err(match CredentialId::of_kind(CredentialKind::Client, &request.sent.client_id) {
                Some(id) => refusal.based_on(basis.on_missing(&id)),
                None => refusal,
            });
        };
        let subject = Subject::of(&credential);
        let mut basis = Basis::at(request.position).on_credential(&credential);
        match self.check_known(&request, &credential, secret).await {
            Ok((allowance, served, secret)) => {
                let used = (secret, LastUse { at: request.now, address: request.address });
                basis = basis.on_role(allowance.role());
                Ok(AuthenticatedClient { credential, allowance, served, basis, used })
            }
            Err(refusal) => Err(refusal.of(subject).based_on(basis)),
        }
    }

    /// Notes the use of the secret that a client has authenticated with, once the event of its request is stored.
    pub fn note_use(&self, client: &AuthenticatedClient) {
        let (secret, last_use) = &client.used;
        self.last_used.note(secret, *last_use);
    }

    /// Checks a client that exists, and returns what its owner allows, whom it serves, and the secret that it sent.
    async fn check_known(
        &self,
        request: &AuthenticationRequest<'_>,
        client: &Credential,
        secret: &str,
    ) -> Result<(Allowance, Served, SecretId), Refusal> {
        let found = self.proven.find(client.id.as_str(), client.live_secrets(request.now), secret).await;
        let Some(stored) = found.map_err(|unchecked| cannot_check(&unchecked, client))? else {
            return Err(invalid_client(Reason::WrongSecret));
        };
        if client.environment != request.environment {
            return Err(invalid_client(Reason::WrongEnvironment));
        }
        match client.status(request.now) {
            Status::Active => {}
            Status::Inactive => return Err(invalid_client(Reason::ClientDisabled)),
            Status::Expired => return Err(invalid_client(Reason::ClientExpired)),
            Status::Revoked => return Err(invalid_client(Reason::ClientRevoked)),
        }
        let allowance = self.owners.allowance(client.owner.as_ref()).await.map_err(|error| Refusal::store(&error))?;
        if matches!(allowance, Allowance::Nothing) {
            return Err(invalid_client(Reason::OwnerInactive));
        }
        let served = self.customers.served(&client.customers).await.map_err(|error| Refusal::store(&error))?;
        let served = served.map_err(|_| invalid_client(Reason::CustomerSuspended))?;
        if !client.allowed_ips.admit(request.address) {
            return Err(invalid_client(Reason::AddressNotAllowed));
        }
        Ok((allowance, served, stored.id.clone()))
    }
}

fn invalid_client(reason: Reason) -> Refusal {
    Refusal::new(OAuthError::InvalidClient, reason)
}

/// Creates the refusal for a secret that could not be checked.
fn cannot_check(unchecked: &Unchecked<'_>, client: &Credential) -> Refusal {
    match unchecked.error {
        PasswordError::Busy => Refusal::new(OAuthError::Unavailable, Reason::Overloaded),
        PasswordError::Failed => {
            log::error!("client {}: secret {}: its hash is damaged", client.id, unchecked.stored.id);
            Refusal::new(OAuthError::ServerError, Reason::DamagedSecret)
        }
    }
}
