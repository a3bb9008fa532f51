//! Verifies that a token is in force. Signature, dates, revocation, and the current state of the client are checked
//! together; the strictest result applies.

use std::sync::Arc;

use crate::config::Issuers;
use crate::crypto::jwt::TokenError;
use crate::domain::audit::Reason;
use crate::domain::credential::{Credential, Status};
use crate::domain::customer::Served;
use crate::domain::environment::Environment;
use crate::domain::ids::TokenId;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::time::Timestamp;
use crate::domain::token::VerifiedClaims;
use crate::service::audit_context::Subject;
use crate::service::state::credential_cache::CredentialCache;
use crate::service::state::customers::{Customers, ServesNone};
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

/// A token whose signature and dates are valid.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The environment that signed it.
    pub environment: Environment,
    /// Its claims.
    pub claims: VerifiedClaims,
    /// Its id, which contains the millisecond in which it was issued.
    pub jti: TokenId,
}

impl SignedToken {
    /// Returns the token as the subject of an event, before its client is known to exist.
    pub fn subject(&self) -> Subject {
        Subject {
            credential: Some(self.claims.client_id.as_str().into()),
            environment: Some(self.environment),
            jti: Some(Arc::clone(self.jti.shared())),
            ..Subject::default()
        }
    }
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
    /// Returns whether its scopes cover `required` at this moment.
    pub fn covers(&self, required: &Scopes) -> bool {
        self.own.cover_all(required) && self.allowance.allows(required)
    }

    /// Returns the token and its client as the subject of an event.
    pub fn subject(&self) -> Subject {
        Subject::of(&self.client).tied_to(&self.served.ids()).with_token(&self.token.jti).authenticated()
    }
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
        let claims = self.keyring.verify(environment, issuer, token, now).map_err(|error| match error {
            TokenError::Malformed => Reason::MalformedToken,
            TokenError::UnknownKey => Reason::UnknownKey,
            TokenError::BadSignature => Reason::BadSignature,
            TokenError::WrongIssuer => Reason::WrongIssuer,
            TokenError::Expired => Reason::TokenExpired,
        })?;
        let jti = claims.jti.parse().map_err(|_| Reason::MalformedToken)?;
        Ok(SignedToken { environment, claims, jti })
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

    /// Decides whether `token` is in force at `now`, by its revocation and the current state of its client.
    ///
    /// # Errors
    /// The token is not in force, or the service cannot know.
    pub async fn in_force(&self, token: SignedToken, now: Timestamp) -> Result<TokenInForce, NotInForce> {
        use NotInForce::Refused;
        let client = self.credentials.client(&token.claims.client_id).await?;
        let client = client.ok_or(Refused(Reason::UnknownClient))?;
        if client.status(now) != Status::Active {
            return Err(Refused(Reason::ClientNotActive));
        }
        let allowance = self.owners.allowance(client.owner.as_ref()).await?;
        if matches!(allowance, Allowance::Nothing) {
            return Err(Refused(Reason::OwnerInactive));
        }
        // `iat` has whole seconds; the id has milliseconds.
        let revoked_before = client.as_client().and_then(|client| client.details.tokens_revoked_before);
        if revoked_before.is_some_and(|before| token.jti.time() <= before) || self.revoked.contain(&token.jti).await? {
            return Err(Refused(Reason::TokenRevoked));
        }
        let own: Vec<Scope> = token.claims.scope.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        let own = Scopes::new(own).map_err(|_| Refused(Reason::MalformedToken))?.covered_by(&client.scopes);
        let served = self.customers.served_by_token(&token.claims.customers, &client.customers).await?;
        let served = served.map_err(|none| match none {
            ServesNone::Changed => Refused(Reason::CustomersChanged),
            ServesNone::Suspended => Refused(Reason::CustomerSuspended),
        })?;
        Ok(TokenInForce { scopes: allowance.cut(&own), own, served, allowance, token, client })
    }
}
