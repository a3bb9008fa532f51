//! Introspects tokens (RFC 7662): tells a caller whether a token is in force, if the caller may know.

use std::sync::Arc;

use super::authenticate_client::{AuthenticatedClient, AuthenticationRequest};
use super::token_verifier::{NotInForce, TokenInForce};
use super::{ProtocolRequest, Refusal, Tokens};
use crate::domain::audit::{Action, Reason};
use crate::domain::caller::are_within;
use crate::domain::change::{Basis, Position};
use crate::domain::customer::Tenant;
use crate::domain::permission;
use crate::domain::token::VerifiedClaims;
use crate::oauth::error::OAuthError;
use crate::service::audit_context::{AuditContext, Subject};
use crate::service::recorder::{Counted, Decision};

/// The result of an introspection request.
#[derive(Debug)]
pub enum Introspection {
    /// The token is in force, and the caller may know.
    Active(Box<ActiveToken>),
    /// Any other case. The reason is not visible to the caller (RFC 7662 §2.2).
    Inactive,
}

/// A token that is in force, as the caller sees it.
#[derive(Debug)]
pub struct ActiveToken {
    /// Its claims.
    pub claims: VerifiedClaims,
    /// The scopes that its client still has, separated by spaces.
    pub scope: String,
    /// The customers that it serves now, as APIs know them; none if it is tied to none.
    pub customers: Vec<Arc<Tenant>>,
}

/// The result, the reason and the subject of the event, and what the decision is based on.
type Introspected = (Introspection, Reason, Subject, Basis);

impl Tokens {
    /// Introspects a token. The audit event is stored before this returns.
    ///
    /// # Errors
    /// The client does not authenticate; the request has no token; or 503, where the service cannot know.
    pub async fn introspect(&self, request: ProtocolRequest<'_>) -> Result<Introspection, OAuthError> {
        let origin = Arc::clone(&request.origin);
        let context = AuditContext::anonymous(Action::TokenIntrospect, Some(request.environment), origin);
        let counted = Counted::default();
        let decided = self
            .recorder
            .decide(async |position| {
                let authenticated = self.authenticate_about_token(&request, (position, &counted)).await;
                let (caller, token) = match authenticated {
                    Ok(authenticated) => authenticated,
                    Err(refusal) => return refusal.decision(&context),
                };
                match self.decide_introspection(&request, &caller, &token).await {
                    Ok((introspection, reason, subject, basis)) => {
                        let context = context.clone().with_subject(subject);
                        Decision::granted(Ok((introspection, caller)), context, reason, basis)
                    }
                    Err(refusal) => refusal.decision(&context),
                }
            })
            .await;
        let (introspection, caller) = decided.map_err(|_| OAuthError::Unavailable)??;
        self.authenticator.note_use(&caller);
        Ok(introspection)
    }

    /// Authenticates the client that sends a request about a token, and returns it with the token.
    pub(super) async fn authenticate_about_token(
        &self,
        request: &ProtocolRequest<'_>,
        (position, counted): (Position, &Counted),
    ) -> Result<(AuthenticatedClient, String), Refusal> {
        let (form, sent) = request.read()?;
        let authentication = AuthenticationRequest {
            environment: request.environment,
            sent: &sent,
            address: request.origin.address,
            now: self.recorder.now(),
            position,
            counted,
        };
        let client = self.authenticator.authenticate(authentication).await?;
        let Some(token) = form.get("token") else {
            let error = OAuthError::InvalidRequest("token is missing.");
            return Err(Refusal::from(error).of(client.subject()).based_on(client.basis));
        };
        Ok((client, token.to_owned()))
    }

    async fn decide_introspection(
        &self,
        request: &ProtocolRequest<'_>,
        caller: &AuthenticatedClient,
        token: &str,
    ) -> Result<Introspected, Refusal> {
        let (subject, now) = (caller.subject(), self.recorder.now());
        let token = match self.verifier.verify(request.environment, token, now) {
            Ok(token) => token,
            Err(reason) => {
                let basis = caller.basis.clone().on_signing_keys(request.environment);
                return Ok((Introspection::Inactive, reason, subject, basis));
            }
        };
        let subject = subject.with_token(&token.jti);
        let (basis, in_force) = self.verifier.in_force(token, caller.basis.clone(), now).await;
        match in_force {
            Ok(in_force) if may_introspect(caller, &in_force) => {
                let scope = in_force.scopes.to_string();
                let customers = in_force.served.customers().to_vec();
                let token = ActiveToken { claims: in_force.token.claims, scope, customers };
                Ok((Introspection::Active(Box::new(token)), Reason::Active, subject, basis))
            }
            Ok(_) => Ok((Introspection::Inactive, Reason::NotForThisCaller, subject, basis)),
            Err(NotInForce::Refused(reason)) => Ok((Introspection::Inactive, reason, subject, basis)),
            Err(NotInForce::Unknowable(error)) => Err(Refusal::store(&error).of(subject)),
        }
    }
}

/// Returns whether a client may introspect a token: its own, one of an audience that it is the resource server of or,
/// with the permission, any. To a client that is tied to customers, others' tokens are visible as others' keys are:
/// those of its customers only.
fn may_introspect(caller: &AuthenticatedClient, in_force: &TokenInForce) -> bool {
    let claims = &in_force.token.claims;
    let serves = caller.credential.as_client().is_some_and(|client| {
        client.details.resource_for.iter().any(|own| claims.aud.iter().any(|audience| own.as_str() == audience))
    });
    let may_all = || caller.allowance.cut(&caller.credential.scopes).cover_permission(permission::TOKENS_INTROSPECT);
    claims.client_id == caller.credential.id.as_str()
        || (are_within(&in_force.served.ids(), &caller.served.ids()) && (serves || may_all()))
}
