//! Is this token in force? Signature, dates, revocation, and the client's state now are judged together; the strictest
//! result wins.

use std::sync::Arc;

use crate::config::Issuers;
use crate::crypto::jwt::TokenError;
use crate::domain::audit::Reason;
use crate::domain::credential::{Credential, Status};
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, TokenId};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::time::Timestamp;
use crate::domain::token::VerifiedClaims;
use crate::service::audit_context::Subject;
use crate::service::state::credential_cache::CredentialCache;
use crate::service::state::keyring::Keyring;
use crate::service::state::owners::{Allowance, Owners};
use crate::service::state::revoked_tokens::RevokedTokens;
use crate::store::StoreError;

/// Verifies tokens that Sealwright issued.
#[derive(Debug)]
pub struct TokenVerifier {
    /// The clients in use.
    pub credentials: Arc<CredentialCache>,
    /// Their owners.
    pub owners: Arc<Owners>,
    /// Which single tokens were revoked.
    pub revoked: Arc<RevokedTokens>,
    /// The keys that tokens are signed with.
    pub keyring: Arc<Keyring>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// Claims whose signature and dates are right, with the token's id.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The environment that signed it.
    pub environment: Environment,
    /// Its claims.
    pub claims: VerifiedClaims,
    /// Its id, which has the millisecond in which it was issued.
    pub jti: TokenId,
}

impl SignedToken {
    /// What an event says of a request with this token, before its client is known to exist.
    pub fn subject(&self) -> Subject {
        Subject {
            credential: Some(self.claims.client_id.as_str().into()),
            environment: Some(self.environment),
            jti: Some(Arc::clone(self.jti.shared())),
            ..Subject::default()
        }
    }
}

/// A token that is in force, and what is left of its scopes.
#[derive(Debug)]
pub struct TokenInForce {
    /// The token.
    pub token: SignedToken,
    /// Its scopes, cut to what its client has now.
    own: Scopes,
    /// The same, cut to what its client's owner's role allows.
    pub scopes: Scopes,
    /// The customers that it is for: those of which both the token and its client now are; any, if empty.
    pub customers: Vec<CustomerId>,
    /// What its client's owner allows.
    allowance: Allowance,
    /// Its client.
    pub client: Arc<Credential>,
}

impl TokenInForce {
    /// Whether it covers `required` at this moment.
    pub fn covers(&self, required: &Scopes) -> bool {
        self.own.cover_all(required) && self.allowance.allows(required)
    }

    /// What an event says of a request with this token.
    pub fn subject(&self) -> Subject {
        Subject::of(&self.client).tied_to(&self.customers).with_token(&self.token.jti).authenticated()
    }
}

/// Why a token is not taken as being in force.
#[derive(Debug)]
pub enum NotInForce {
    /// It is not.
    Refused(Reason),
    /// It cannot be known now, and so must not be taken as such.
    Unknowable(StoreError),
}

impl From<StoreError> for NotInForce {
    fn from(error: StoreError) -> Self {
        Self::Unknowable(error)
    }
}

impl TokenVerifier {
    /// `token`, if `environment` signed it and it has not expired.
    ///
    /// # Errors
    /// Why it is not.
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

    /// `token`, if one of the environments signed it. The token names its issuer itself; the one whose key verifies it
    /// is the one that counts.
    ///
    /// # Errors
    /// Why none did.
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

    /// Decides whether `token` is in force at `now`: whether it was revoked, and what its client is now.
    ///
    /// # Errors
    /// Why it is not, or that it cannot be known.
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
        // `iat` has whole seconds; the id has the millisecond.
        let revoked_before = client.as_client().and_then(|client| client.details.tokens_revoked_before);
        if revoked_before.is_some_and(|before| token.jti.time() < before) || self.revoked.contain(&token.jti).await? {
            return Err(Refused(Reason::TokenRevoked));
        }
        let own: Vec<Scope> = token.claims.scope.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        let own = Scopes::new(own).map_err(|_| Refused(Reason::MalformedToken))?.covered_by(&client.scopes);
        let customers = customers_left(&token.claims.customers, &client.customers);
        let customers = customers.ok_or(Refused(Reason::CustomersChanged))?;
        Ok(TokenInForce { scopes: allowance.cut(&own), own, customers, allowance, token, client })
    }
}

/// What is left of a token's customers, now that its client has these. A token never reaches further than when it was
/// issued.
fn customers_left(claimed: &[String], now: &[CustomerId]) -> Option<Vec<CustomerId>> {
    if claimed.is_empty() {
        return Some(now.to_vec());
    }
    let claimed = claimed.iter().filter_map(|customer| customer.parse::<CustomerId>().ok());
    let left: Vec<CustomerId> = claimed.filter(|customer| now.is_empty() || now.contains(customer)).collect();
    (!left.is_empty()).then_some(left)
}
