//! Verifies that a token is in force. Signature, dates, revocation, and the current state of the client are checked
//! together; the strictest result applies.

use std::sync::Arc;

use crate::config::Issuers;
use crate::crypto::jwt::TokenError;
use crate::domain::audit::Reason;
use crate::domain::change::Basis;
use crate::domain::credential::{Credential, Status};
use crate::domain::customer::{Served, ServesNone, Tenant};
use crate::domain::environment::Environment;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::time::Timestamp;
use crate::domain::token::SignedToken;
use crate::service::audit_context::Subject;
use crate::service::state::credential_cache::CredentialCache;
use crate::service::state::customers::Customers;
use crate::service::state::keyring::Keyring;
use crate::service::state::owners::{Allowance, Owners};
use crate::service::state::revoked_tokens::RevokedTokens;
use crate::store::StoreError;

/// Verifies tokens that Sealwright issued.
#[derive(Debug)]
pub struct TokenVerifier {
    /// Cached clients.
    pub credentials: Arc<CredentialCache>,
    /// Cached owners of clients.
    pub owners: Arc<Owners>,
    /// Cached customers.
    pub customers: Arc<Customers>,
    /// Tokens that were revoked individually.
    pub revoked: Arc<RevokedTokens>,
    /// The signing keys.
    pub keyring: Arc<Keyring>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// A token that is in force, and the scopes that it still has.
#[derive(Debug)]
pub struct TokenInForce {
    /// The token.
    pub token: SignedToken,
    /// Its scopes, as far as its client still has them.
    own: Scopes,
    /// The same, as far as the role of its client's owner allows them.
    pub scopes: Scopes,
    /// The customers that both the token and its client serve now.
    pub served: Served,
    /// The scopes that its client's owner allows.
    allowance: Allowance,
    /// Its client.
    pub client: Arc<Credential>,
}

impl TokenInForce {
    /// Decides whether a token is in force, by what is known of it now.
    ///
    /// # Errors
    /// The reason for which it is not.
    pub fn of(token: SignedToken, known: Known, now: Timestamp) -> Result<Self, Reason> {
        let Known { client, allowance, tenants, is_revoked } = known;
        if client.status(now) != Status::Active {
            return Err(Reason::ClientNotActive);
        }
        if matches!(allowance, Allowance::Nothing) {
            return Err(Reason::OwnerInactive);
        }
        // `iat` has whole seconds; the id has milliseconds.
        let revoked_before = client.as_client().and_then(|client| client.details.tokens_revoked_before);
        if is_revoked || revoked_before.is_some_and(|before| token.jti.time() <= before) {
            return Err(Reason::TokenRevoked);
        }
        let own: Vec<Scope> = token.claims.scope.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        let own = Scopes::new(own).map_err(|_| Reason::MalformedToken)?.covered_by(&client.scopes);
        let served = Served::of_token(&token.claims.customers, !client.customers.is_empty(), tenants);
        let served = served.map_err(|none| match none {
            ServesNone::Changed => Reason::CustomersChanged,
            ServesNone::Suspended => Reason::CustomerSuspended,
        })?;
        Ok(Self { scopes: allowance.cut(&own), own, served, allowance, token, client })
    }

    /// Returns whether its scopes cover `required` at this moment.
    pub fn covers(&self, required: &Scopes) -> bool {
        self.own.cover_all(required) && self.allowance.allows(required)
    }

    /// Returns the token and its client as the subject of an event.
    pub fn subject(&self) -> Subject {
        Subject::of(&self.client).tied_to(&self.served.ids()).with_token(&self.token.jti).authenticated()
    }
}

/// What decides whether a token is in force.
#[derive(Debug)]
pub struct Known {
    /// Its client.
    pub client: Arc<Credential>,
    /// The scopes that its client's owner allows.
    pub allowance: Allowance,
    /// The customers that the client is tied to or, if to none, that the token names.
    pub tenants: Vec<Arc<Tenant>>,
    /// Whether it was revoked individually.
    pub is_revoked: bool,
}

/// Why a token is not accepted as in force.
#[derive(Debug)]
pub enum NotInForce {
    /// It is not in force.
    Refused(Reason),
    /// The service cannot know now, and so must not accept it.
    Unknowable(StoreError),
}

impl From<StoreError> for NotInForce {
    fn from(error: StoreError) -> Self {
        Self::Unknowable(error)
    }
}

impl TokenVerifier {
    /// Verifies that `environment` signed `token` and that it has not expired.
    ///
    /// # Errors
    /// The reason for which it is not valid.
    pub fn verify(&self, environment: Environment, token: &str, now: Timestamp) -> Result<SignedToken, Reason> {
        let issuer = &self.issuers.of(environment).issuer;
        let (claims, kid) = self.keyring.verify(environment, issuer, token, now).map_err(|error| match error {
            TokenError::Malformed => Reason::MalformedToken,
            TokenError::UnknownKey => Reason::UnknownKey,
            TokenError::BadSignature => Reason::BadSignature,
            TokenError::WrongIssuer => Reason::WrongIssuer,
            TokenError::Expired => Reason::TokenExpired,
        })?;
        let jti = claims.jti.parse().map_err(|_| Reason::MalformedToken)?;
        Ok(SignedToken { environment, kid, claims, jti })
    }

    /// Verifies that any environment signed `token`. The token names its issuer itself, but the environment whose key
    /// verifies it counts.
    ///
    /// # Errors
    /// The reason for which it is not valid.
    pub fn verify_anywhere(&self, token: &str, now: Timestamp) -> Result<SignedToken, Reason> {
        let mut refused = Reason::UnknownKey;
        for environment in Environment::ALL {
            match self.verify(environment, token, now) {
                Ok(token) => return Ok(token),
                Err(Reason::UnknownKey) => {}
                Err(reason) => refused = reason,
            }
        }
        Err(refused)
    }

    /// Decides whether `token` is in force at `now`, by its revocation and the current state of its client. Returns
    /// also what the decision is based on: `basis` and what was looked at.
    ///
    /// # Errors
    /// The token is not in force, or the service cannot know.
    pub async fn in_force(
        &self,
        token: SignedToken,
        basis: Basis,
        now: Timestamp,
    ) -> (Basis, Result<TokenInForce, NotInForce>) {
        let basis = basis.on_token(&token.jti).on_signing_keys(token.environment);
        let client = match self.credentials.client(&token.claims.client_id).await {
            Ok(Some(client)) => client,
            Ok(None) => return (basis, Err(NotInForce::Refused(Reason::UnknownClient))),
            Err(error) => return (basis, Err(error.into())),
        };
        let basis = basis.on_credential(&client);
        let allowance = match self.owners.allowance(client.owner.as_ref()).await {
            Ok(allowance) => allowance,
            Err(error) => return (basis, Err(error.into())),
        };
        let basis = basis.on_role(allowance.role());
        let tenants = match self.customers.of_token(&token.claims.customers, &client.customers).await {
            Ok(tenants) => tenants,
            Err(error) => return (basis, Err(error.into())),
        };
        let basis = basis.on_customers(tenants.iter().map(|tenant| &tenant.id));
        let in_force = match self.revoked.contain(&token.jti).await {
            Ok(is_revoked) => {
                let known = Known { client, allowance, tenants, is_revoked };
                TokenInForce::of(token, known, now).map_err(NotInForce::Refused)
            }
            Err(error) => Err(error.into()),
        };
        (basis, in_force)
    }
}
