//! Ends a token before its time (RFC 7009). Introspection and the online checks refuse it from the answer on; a resource
//! server that verifies offline goes on accepting it until `exp`.

use std::sync::Arc;

use super::Services;
use super::authenticate_client::Refusal;
use super::error::ServiceError;
use super::issue_token::ProtocolRequest;
use super::trail::Trail;
use crate::clock;
use crate::crypto::jwt::TokenError;
use crate::domain::time::Timestamp;
use crate::oauth::error::OAuthError;
use crate::store::change_log::Kind;
use crate::store::revoked_tokens;

impl Services {
    /// Revokes a token of the caller's. A token that is none, is over, or is another client's is answered alike, and nothing
    /// happens to it (RFC 7009 §2.2); the audit event tells them apart.
    ///
    /// # Errors
    /// Of authentication, of a request without a token; 503 where the token must be taken as still alive (§2.2.1).
    pub async fn revoke_token(&self, request: ProtocolRequest<'_>) -> Result<(), OAuthError> {
        let mut trail = Trail::anonymous("token.revoke", Some(request.environment), Arc::clone(&request.origin));
        match self.decide_revocation(&request, &mut trail).await {
            Ok(()) => Ok(()),
            Err(refusal) => {
                self.witness_refusal(&trail, refusal.error.status, refusal.reason).await;
                Err(refusal.error)
            }
        }
    }

    async fn decide_revocation(&self, request: &ProtocolRequest<'_>, trail: &mut Trail) -> Result<(), Refusal> {
        let now = clock::now();
        let (form, credentials) = request.read()?;
        let known = self.authenticate_client(request.environment, &credentials, trail, now).await?.known;
        let token = form.get("token").ok_or(OAuthError::invalid_request("token is missing."))?;
        let issuer = &self.issuers.of(request.environment).issuer;
        let claims = match self.keyring.verify(request.environment, issuer, token, now) {
            Ok(claims) if claims.client_id == known.client.id.as_str() => claims,
            Ok(claims) => {
                trail.jti = Some(claims.jti.as_str().into());
                return self.nothing_to_revoke(trail, "another_clients_token").await;
            }
            Err(TokenError::Expired) => return self.nothing_to_revoke(trail, "token_expired").await,
            Err(_) => return self.nothing_to_revoke(trail, "unknown_token").await,
        };
        trail.jti = Some(claims.jti.as_str().into());
        let jti = claims.jti.clone();
        let revoked = self.change(trail.clone(), 200, move |transaction, trail, now| {
            let expires_at = Timestamp::from_seconds(claims.exp);
            let client = trail.actor.as_ref();
            revoked_tokens::insert(transaction.connection, &claims.jti, client, now, expires_at)?;
            transaction.announce(now, Kind::Token, &claims.jti)?;
            Ok(())
        });
        let revoked = revoked.await;
        self.live_tokens.forget(&jti);
        revoked.map_err(|error: ServiceError| {
            log::error!("{error}");
            Refusal::STORE
        })
    }

    async fn nothing_to_revoke(&self, trail: &Trail, reason: &'static str) -> Result<(), Refusal> {
        self.witness(trail, 200, reason).await.map_err(|_| Refusal::AUDIT)
    }
}
