//! Revokes a token (RFC 7009). Introspection and the online checks refuse it from the response on; a resource server
//! that verifies offline continues to accept it until `exp`.

use std::sync::Arc;

use super::authenticate_client::AuthenticatedClient;
use super::{ProtocolRequest, Tokens};
use crate::domain::audit::{Action, Disposition, Reason};
use crate::domain::caller::Caller;
use crate::domain::change::Basis;
use crate::domain::change::ChangeKind;
use crate::domain::time::Timestamp;
use crate::domain::token::SignedToken;
use crate::oauth::error::OAuthError;
use crate::service::audit_context::AuditContext;
use crate::service::recorder::{Counted, Decision};
use crate::store::revoked_tokens;

impl Tokens {
    /// Revokes a token of the caller. A token that does not exist, has expired, or belongs to another client gets the
    /// same response and is not changed (RFC 7009 §2.2); the audit event distinguishes the cases.
    ///
    /// # Errors
    /// The client does not authenticate; the request has no token; or 503, where the token must be assumed to be still
    /// valid (§2.2.1).
    pub async fn revoke(&self, request: ProtocolRequest<'_>) -> Result<(), OAuthError> {
        let origin = Arc::clone(&request.origin);
        let context = AuditContext::anonymous(Action::TokenRevoke, Some(request.environment), origin);
        let counted = Counted::default();
        // Revoking is not decided again: it begins with what is true.
        self.recorder.catch_up(&context).await.map_err(|_| OAuthError::Unavailable)?;
        let decided = self
            .recorder
            .decide(async |position| match self.authenticate_about_token(&request, (position, &counted)).await {
                Ok(authenticated) => Decision::pending(Ok(authenticated), context.clone()),
                Err(refusal) => refusal.decision(&context),
            })
            .await;
        let (client, token) = decided.map_err(|_| OAuthError::Unavailable)??;
        self.authenticator.note_use(&client);
        let context = context.with_subject(client.subject());
        match self.verifier.verify(request.environment, &token, self.recorder.now()) {
            Ok(token) if token.claims.client_id == client.credential.id.as_str() => {
                self.revoke_own(&client, token, context).await
            }
            Ok(token) => {
                let context = AuditContext { jti: Some(Arc::clone(token.jti.shared())), ..context };
                self.nothing_to_revoke(&context, Reason::AnotherClientsToken).await
            }
            Err(Reason::TokenExpired) => self.nothing_to_revoke(&context, Reason::TokenExpired).await,
            Err(_) => self.nothing_to_revoke(&context, Reason::UnknownToken).await,
        }
    }

    async fn revoke_own(
        &self,
        client: &AuthenticatedClient,
        token: SignedToken,
        context: AuditContext,
    ) -> Result<(), OAuthError> {
        let context = AuditContext { jti: Some(Arc::clone(token.jti.shared())), ..context };
        let (jti, expires_at) = (token.jti.clone(), Timestamp::from_seconds(token.claims.exp));
        let client = Arc::clone(client.credential.id.shared());
        let revoked = self
            .recorder
            // Revoking only narrows: a client may do it though it has been revoked itself meanwhile.
            .change(&Caller::System, context, Disposition::Ok, move |transaction, _, _, now| {
                revoked_tokens::insert(transaction.connection, token.jti.as_str(), &client, now, expires_at)?;
                transaction.announce(now, ChangeKind::Token, token.jti.as_str())?;
                Ok(())
            })
            .await;
        self.revoked.drop_entry(jti.as_str());
        revoked.map_err(|error| {
            log::error!("{error}");
            OAuthError::Unavailable
        })
    }

    async fn nothing_to_revoke(&self, context: &AuditContext, reason: Reason) -> Result<(), OAuthError> {
        let stored = self.recorder.record_event(context, Disposition::Ok, reason, Basis::default()).await;
        stored.map_err(|_| OAuthError::Unavailable)
    }
}
