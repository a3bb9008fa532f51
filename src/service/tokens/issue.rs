//! Issues tokens. A request passes, top to bottom: form → client authentication → rate limit → grant (scope, audience,
//! signature) → audit event → response.

use std::sync::Arc;

use super::authenticate_client::AuthenticationRequest;
use super::{ProtocolRequest, Refusal, Tokens};
use crate::crypto::random;
use crate::domain::audit::{Action, Disposition, Reason};
use crate::domain::environment::Environment;
use crate::domain::ids::TokenId;
use crate::domain::rate::RateLimitStatus;
use crate::domain::time::Timestamp;
use crate::domain::token::Claims;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::{self, AuthenticatedRequest, IssuedAccessToken, JwtIssuer, TokenParameters};
use crate::service::audit_context::{AuditContext, Subject};

/// The outcome of a token request.
#[derive(Debug)]
pub struct IssueOutcome {
    /// The token, or an error of RFC 6749 §5.2 or RFC 8707 §2.
    pub issued: Result<IssuedAccessToken, OAuthError>,
    /// The client's rate limit status, once the client has authenticated.
    pub rate_limit: Option<RateLimitStatus>,
}

/// A decision about a token request.
struct Decision {
    issued: Result<(IssuedAccessToken, Subject), Refusal>,
    rate_limit: Option<RateLimitStatus>,
}

impl From<Refusal> for Decision {
    fn from(refusal: Refusal) -> Self {
        Self { issued: Err(refusal), rate_limit: None }
    }
}

impl Tokens {
    /// Issues a token or refuses the request. The audit event is stored before this returns.
    pub async fn issue(&self, request: ProtocolRequest<'_>) -> IssueOutcome {
        let context =
            AuditContext::anonymous(Action::TokenIssue, Some(request.environment), Arc::clone(&request.origin));
        let Decision { issued, rate_limit } = self.decide(&request).await;
        let issued = match issued {
            Ok((token, subject)) => {
                let stored =
                    self.recorder.record_event(&context.with_subject(subject), Disposition::Ok, Reason::Ok).await;
                stored.map(|()| token).map_err(|_| OAuthError::Unavailable)
            }
            Err(Refusal { error, reason, subject }) => {
                self.recorder.record_refusal(&context.with_subject(subject), error.disposition(), reason).await;
                Err(error)
            }
        };
        IssueOutcome { issued, rate_limit }
    }

    async fn decide(&self, request: &ProtocolRequest<'_>) -> Decision {
        let now = self.recorder.now();
        let (form, sent) = match request.read() {
            Ok(read) => read,
            Err(error) => return Refusal::from(error).into(),
        };
        // Authentication comes first, so that the event of a wrong request names its client.
        let authentication = AuthenticationRequest {
            environment: request.environment,
            sent: &sent,
            address: request.origin.address,
            now,
        };
        let client = match self.authenticator.authenticate(authentication).await {
            Ok(client) => client,
            Err(refusal) => return refusal.into(),
        };
        let credential = &client.credential;
        let rate_limit = self.limits.take(credential.id.shared(), credential.limits, 1, now);
        let issued = if rate_limit.is_admitted {
            let parameters = TokenParameters::from_form(&form).map_err(Refusal::from);
            parameters.and_then(|parameters| {
                let client_request = AuthenticatedRequest::new(
                    &parameters,
                    credential.as_client().ok_or(OAuthError::ServerError)?,
                    client.allowance.ceiling(),
                    sent.secret.expose(),
                );
                self.grant(request.environment, &client_request, now)
            })
        } else {
            let error = OAuthError::RateLimited { retry_after: rate_limit.retry_after_seconds() };
            Err(Refusal::from(error))
        };
        let issued = match issued {
            Ok((token, jti)) => Ok((token, client.subject().with_token(&jti))),
            Err(refusal) => Err(refusal.of(client.subject())),
        };
        Decision { issued, rate_limit: Some(rate_limit) }
    }

    fn grant(
        &self,
        environment: Environment,
        request: &AuthenticatedRequest<'_>,
        now: Timestamp,
    ) -> Result<(IssuedAccessToken, TokenId), Refusal> {
        let client = request.client();
        if client.token_expiry(now).is_none() {
            return Err(Refusal::new(OAuthError::InvalidClient, Reason::ClientExpired));
        }
        let issuer = self.issuers.of(environment);
        let algorithm = client.details.signing_algorithm.unwrap_or(issuer.algorithm);
        let typ = client.details.token_typ.unwrap_or(issuer.token_typ);
        let signer = self.keyring.signer(environment, algorithm, now).ok_or_else(|| {
            log::error!("{environment} has no active {algorithm} key");
            Refusal::new(OAuthError::Unavailable, Reason::NoSigningKey)
        })?;
        let jti: TokenId = random::id(now).map_err(|_| OAuthError::ServerError)?;
        let jwt_issuer = JwtIssuer {
            issuer: &issuer.issuer,
            environment: environment.as_str(),
            customers: &client.credential.customers,
            issued_at: now,
            jti: jti.as_str(),
            sign: |claims: &Claims<'_>| signer.sign(typ, claims).ok(),
        };
        let token = grant::run(request, &issuer.audiences, &jwt_issuer)?;
        Ok((token, jti))
    }
}
