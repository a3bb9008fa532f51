//! Is this token in force? (RFC 7662.) Signature, dates, revocation, and the client's state now are asked together; the
//! strictest answer wins.

use std::sync::Arc;

use super::Services;
use super::authenticate_client::{AuthenticatedClient, Refusal};
use super::clients_in_memory::KnownClient;
use super::issue_token::ProtocolRequest;
use super::owners::Allowance;
use super::trail::Trail;
use crate::clock;
use crate::crypto::jwt::TokenError;
use crate::domain::client::Client;
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, TokenId};
use crate::domain::permission;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::time::Timestamp;
use crate::domain::token::VerifiedClaims;
use crate::oauth::error::OAuthError;
use crate::oauth::introspection::{ActiveToken, Introspection};
use crate::store::{StoreError, revoked_tokens};

/// A token of ours that is in force, and what is left of its scopes.
#[derive(Debug)]
pub struct TokenInForce {
    /// Its claims.
    pub claims: VerifiedClaims,
    /// Its scopes, cut to what its client has now.
    own: Scopes,
    /// The same, cut to what its client's owner's role allows.
    pub scopes: Scopes,
    /// The customers that it is for: those of which both the token and its client now are; any, if empty.
    pub customers: Vec<CustomerId>,
    /// What its client's owner allows.
    pub allowance: Allowance,
    /// Its client.
    pub known: Arc<KnownClient>,
}

impl TokenInForce {
    /// Whether it covers `required` at this moment.
    pub fn covers(&self, required: &Scopes) -> bool {
        self.own.cover_all(required) && self.allowance.allows(required)
    }
}

/// What is left of a token's customers, now that its client has these. A token never reaches further than when it was issued.
fn customers_left(claimed: &[String], now: &[CustomerId]) -> Option<Vec<CustomerId>> {
    if claimed.is_empty() {
        return Some(now.to_vec());
    }
    let claimed: Vec<CustomerId> = claimed.iter().filter_map(|customer| customer.parse().ok()).collect();
    let left: Vec<CustomerId> =
        claimed.into_iter().filter(|customer| now.is_empty() || now.contains(customer)).collect();
    (!left.is_empty()).then_some(left)
}

impl Services {
    /// Answers an introspection request. Its audit event is stored before this returns.
    ///
    /// # Errors
    /// Of authentication, of a request without a token; 503 where it cannot be known.
    pub async fn introspect_token(&self, request: ProtocolRequest<'_>) -> Result<Introspection, OAuthError> {
        let mut trail = Trail::anonymous("token.introspect", Some(request.environment), Arc::clone(&request.origin));
        let refusal = match self.decide_introspection(&request, &mut trail).await {
            Ok((answer, reason)) => {
                return match self.witness(&trail, 200, reason).await {
                    Ok(()) => Ok(answer),
                    Err(_) => Err(Refusal::AUDIT.error),
                };
            }
            Err(refusal) => refusal,
        };
        self.witness_refusal(&trail, refusal.error.status, refusal.reason).await;
        Err(refusal.error)
    }

    async fn decide_introspection(
        &self,
        request: &ProtocolRequest<'_>,
        trail: &mut Trail,
    ) -> Result<(Introspection, &'static str), Refusal> {
        let now = clock::now();
        let (form, credentials) = request.read()?;
        let AuthenticatedClient { known, allowance } =
            self.authenticate_client(request.environment, &credentials, trail, now).await?;
        let token = form.get("token").ok_or(OAuthError::invalid_request("token is missing."))?;
        let claims = match self.verified_claims(request.environment, token, now) {
            Ok(claims) => claims,
            Err(reason) => return Ok((Introspection::INACTIVE, reason)),
        };
        trail.jti = Some(claims.jti.as_str().into());
        let in_force = match self.token_in_force(claims, now).await {
            Ok(in_force) => in_force,
            Err(NotInForce::Refused(reason)) => return Ok((Introspection::INACTIVE, reason)),
            Err(NotInForce::Unknowable(error)) => {
                log::error!("{error}");
                return Err(Refusal::STORE);
            }
        };
        if !may_introspect(&known.client, &allowance, &in_force.claims) {
            return Ok((Introspection::INACTIVE, "not_for_this_caller"));
        }
        let scope = in_force.scopes.to_string();
        let answer = ActiveToken::new(in_force.claims, scope, request.environment.as_str());
        Ok((Introspection::Active(Box::new(answer)), "active"))
    }

    /// The claims of `token`, if it is one that `environment` signed and that has not expired.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verified_claims(
        &self,
        environment: Environment,
        token: &str,
        now: Timestamp,
    ) -> Result<VerifiedClaims, &'static str> {
        let issuer = &self.issuers.of(environment).issuer;
        self.keyring.verify(environment, issuer, token, now).map_err(|error| match error {
            TokenError::Malformed => "malformed_token",
            TokenError::UnknownKey => "unknown_key",
            TokenError::BadSignature => "bad_signature",
            TokenError::WrongIssuer => "wrong_issuer",
            TokenError::Expired => "token_expired",
        })
    }

    /// The claims of `token` and the environment that signed it. Which issuer a token is of stands inside it; the one whose key
    /// verifies it is the one that counts.
    ///
    /// # Errors
    /// Why it is of none.
    pub fn verified_anywhere(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Environment, VerifiedClaims), &'static str> {
        let mut refused = "unknown_key";
        for environment in Environment::ALL {
            match self.verified_claims(environment, token, now) {
                Ok(claims) => return Ok((environment, claims)),
                Err("unknown_key") => {}
                Err(reason) => refused = reason,
            }
        }
        Err(refused)
    }

    /// Decides whether the token with these claims is in force at `now`: whether it was revoked, and what its client is now.
    ///
    /// # Errors
    /// Why it is not, or that it cannot be known.
    pub async fn token_in_force(&self, claims: VerifiedClaims, now: Timestamp) -> Result<TokenInForce, NotInForce> {
        use NotInForce::Refused;
        let jti: TokenId = claims.jti.parse().map_err(|_| Refused("malformed_token"))?;
        let known = self.clients.get(&self.store, &claims.client_id).await.map_err(NotInForce::Unknowable)?;
        let Some(known) = known else { return Err(Refused("unknown_client")) };
        if known.client.status(now) != Status::Active {
            return Err(Refused("client_not_active"));
        }
        let allowance = self.allowance(known.client.owner.as_ref()).await.map_err(NotInForce::Unknowable)?;
        if matches!(allowance, Allowance::Nothing) {
            return Err(Refused("owner_inactive"));
        }
        // `iat` has whole seconds; the id has the millisecond.
        if known.client.tokens_revoked_before.is_some_and(|before| jti.time() < before) {
            return Err(Refused("token_revoked"));
        }
        if self.is_revoked(jti).await.map_err(NotInForce::Unknowable)? {
            return Err(Refused("token_revoked"));
        }
        let own: Vec<Scope> = claims.scope.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        let own = Scopes::new(own).map_err(|_| Refused("malformed_token"))?;
        let own = own.covered_by(&known.client.scopes);
        let customers =
            customers_left(&claims.customers, &known.client.customers).ok_or(Refused("customers_changed"))?;
        Ok(TokenInForce { scopes: allowance.of(&own), own, customers, allowance, claims, known })
    }

    /// Whether a token was revoked by itself. That it was not is remembered until it is.
    async fn is_revoked(&self, jti: TokenId) -> Result<bool, StoreError> {
        if self.live_tokens.at_hand(jti.as_str()).is_some() {
            return Ok(false);
        }
        let id: Arc<str> = jti.as_str().into();
        let query = async {
            let revoked = self.store.read(move |connection| revoked_tokens::contains(connection, jti.as_str())).await?;
            Ok((!revoked).then_some(()))
        };
        Ok(self.live_tokens.fetch(&id, query).await?.is_none())
    }
}

/// Why a token is not taken as being in force.
#[derive(Debug)]
pub enum NotInForce {
    /// It is not.
    Refused(&'static str),
    /// It cannot be known now, and so must not be taken as such.
    Unknowable(StoreError),
}

/// Its own tokens, tokens of an audience that it is the resource server of, and with the permission every one.
fn may_introspect(caller: &Client, allowance: &Allowance, claims: &VerifiedClaims) -> bool {
    claims.client_id == caller.id.as_str()
        || claims.aud.iter().any(|audience| caller.resource_for.iter().any(|own| own.as_str() == audience))
        || allowance.of(&caller.scopes).cover_permission(permission::TOKENS_INTROSPECT)
}
