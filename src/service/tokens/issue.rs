//! Issues tokens. A request passes, top to bottom: form → client authentication → rate limit → grant (scope, audience,
//! signature) → audit event → response.

use std::sync::Arc;

use super::authenticate_client::{AuthenticatedClient, AuthenticationRequest};
use super::{ProtocolRequest, Refusal, Tokens};
use crate::audit::NotStored;
use crate::crypto::random;
use crate::domain::audit::{Action, Reason};
use crate::domain::change::Position;
use crate::domain::customer::Tenant;
use crate::domain::environment::Environment;
use crate::domain::ids::TokenId;
use crate::domain::rate::RateLimitStatus;
use crate::domain::time::Timestamp;
use crate::domain::token::Claims;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::{self, AuthenticatedRequest, IssuedAccessToken, JwtIssuer, TokenParameters};
use crate::service::audit_context::{AuditContext, Subject};
use crate::service::recorder::{Counted, Decision};

/// The outcome of a token request.
#[derive(Debug)]
pub struct IssueOutcome {
    /// The token, or an error of RFC 6749 §5.2 or RFC 8707 §2.
    pub issued: Result<IssuedAccessToken, OAuthError>,
    /// The client's rate limit status, once the client has authenticated.
    pub rate_limit: Option<RateLimitStatus>,
    /// Why no token was issued, for the metrics.
    pub refused: Option<Reason>,
}

/// What one attempt to decide comes to.
struct Attempt {
    issued: Result<(IssuedAccessToken, Subject, AuthenticatedClient), Refusal>,
    rate_limit: Option<RateLimitStatus>,
}

impl From<Refusal> for Attempt {
    fn from(refusal: Refusal) -> Self {
        Self { issued: Err(refusal), rate_limit: None }
    }
}

impl Tokens {
    /// Issues a token or refuses the request. The audit event is stored before this returns.
    pub async fn issue(&self, request: ProtocolRequest<'_>) -> IssueOutcome {
        let context =
            AuditContext::anonymous(Action::TokenIssue, Some(request.environment), Arc::clone(&request.origin));
        let (counted, mut rate_limit, mut refused) = (Counted::default(), None, None);
        let decided = self
            .recorder
            .decide(async |position| {
                let attempt = self.attempt(&request, (position, &counted)).await;
                rate_limit = attempt.rate_limit;
                refused = attempt.issued.as_ref().err().map(|refusal| refusal.reason);
                match attempt.issued {
                    Ok((token, subject, client)) => {
                        let (context, basis) = (context.clone().with_subject(subject), client.basis.clone());
                        Decision::granted(Ok((token, client)), context, Reason::Ok, basis)
                    }
                    Err(refusal) => refusal.decision(&context),
                }
            })
            .await;
        let issued = match decided {
            Ok(Ok((token, client))) => {
                self.authenticator.note_use(&client);
                Ok(token)
            }
            Ok(Err(error)) => Err(error),
            Err(not_stored) => {
                refused = Some(match not_stored {
                    NotStored::Stale => Reason::Overtaken,
                    NotStored::Failed => Reason::StoreUnavailable,
                });
                Err(OAuthError::Unavailable)
            }
        };
        IssueOutcome { issued, rate_limit, refused }
    }

    async fn attempt(&self, request: &ProtocolRequest<'_>, (position, counted): (Position, &Counted)) -> Attempt {
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
            position,
            counted,
        };
        let client = match self.authenticator.authenticate(authentication).await {
            Ok(client) => client,
            Err(refusal) => return refusal.into(),
        };
        let credential = &client.credential;
        let rate_limit = counted.rate_limit(|| self.limits.take(credential.id.shared(), credential.limits, 1, now));
        let issued = if rate_limit.is_admitted {
            let parameters = TokenParameters::from_form(&form).map_err(Refusal::from);
            parameters.and_then(|parameters| {
                let client_request = AuthenticatedRequest::new(
                    &parameters,
                    credential.as_client().ok_or(OAuthError::ServerError)?,
                    client.allowance.ceiling(),
                    sent.secret.expose(),
                );
                self.grant(request.environment, &client_request, client.served.customers(), now)
            })
        } else {
            // One request is within every limit, and is admitted after a while.
            let error = OAuthError::RateLimited { retry_after: rate_limit.retry_after_seconds().unwrap_or(1) };
            Err(Refusal::from(error))
        };
        let issued = match issued {
            Ok((token, jti)) => {
                let subject = client.subject().with_token(&jti);
                Ok((token, subject, client.on_signing_keys(request.environment)))
            }
            Err(refusal) => Err(refusal.of(client.subject()).based_on(client.basis)),
        };
        Attempt { issued, rate_limit: Some(rate_limit) }
    }

    fn grant(
        &self,
        environment: Environment,
        request: &AuthenticatedRequest<'_>,
        customers: &[Arc<Tenant>],
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
            customers,
            issued_at: now,
            jti: jti.as_str(),
            sign: |claims: &Claims<'_>| signer.sign(typ, claims).ok(),
        };
        let token = grant::run(request, &issuer.audiences, &jwt_issuer)?;
        Ok((token, jti))
    }
}
