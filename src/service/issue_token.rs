//! The life of a token request, top to bottom: form → authentication → client → secret → limit → grant (scope, audience, signature)
//! → audit event → answer.

use std::sync::Arc;

use super::Services;
use super::authenticate_client::{AuthenticatedClient, Refusal};
use super::trail::Trail;
use crate::clock;
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::environment::Environment;
use crate::domain::ids::TokenId;
use crate::domain::rate::Standing;
use crate::domain::time::Timestamp;
use crate::oauth::client_authentication::{PresentedCredentials, presented};
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::oauth::grant::{self, AuthenticatedRequest, Issued, JwtIssuer, Wanted};

/// A request to one of the protocol's endpoints, as it came in.
#[derive(Debug)]
pub struct ProtocolRequest<'r> {
    /// The issuer that was asked.
    pub environment: Environment,
    /// Every `Authorization` field.
    pub authorization: Vec<&'r [u8]>,
    /// The query string.
    pub query: &'r str,
    /// The body, which is a form; or why it cannot be read.
    pub body: Result<&'r [u8], OAuthError>,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl ProtocolRequest<'_> {
    /// The form and the authentication in it.
    ///
    /// # Errors
    /// `invalid_request` or `invalid_client`.
    pub fn read(&self) -> Result<(Form<'_>, PresentedCredentials), OAuthError> {
        let form = Form::parse(self.body?)?;
        let credentials = presented(&self.authorization, self.query, &form)?;
        Ok((form, credentials))
    }
}

/// What comes of a token request.
#[derive(Debug)]
pub struct Answered {
    /// The token, or what RFC 6749 §5.2 and RFC 8707 §2 provide for.
    pub issued: Result<Issued, OAuthError>,
    /// How the limits of the client stand, once it is known to be it.
    pub standing: Option<Standing>,
}

impl Services {
    /// Issues a token, or says why not. Either way its audit event is stored before this returns.
    pub async fn issue_token(&self, request: ProtocolRequest<'_>) -> Answered {
        let mut trail = Trail::anonymous("token.issue", Some(request.environment), Arc::clone(&request.origin));
        let mut standing = None;
        let issued = match self.decide_token(&request, &mut trail, &mut standing).await {
            Ok(issued) => self.witness(&trail, 200, "ok").await.map(|()| issued).map_err(|_| Refusal::AUDIT.error),
            Err(refusal) => {
                trail.jti = None;
                self.witness_refusal(&trail, refusal.error.status, refusal.reason).await;
                Err(refusal.error)
            }
        };
        Answered { issued, standing }
    }

    async fn decide_token(
        &self,
        request: &ProtocolRequest<'_>,
        trail: &mut Trail,
        standing: &mut Option<Standing>,
    ) -> Result<Issued, Refusal> {
        let now = clock::now();
        let (form, credentials) = request.read()?;
        // First who, then what: so that the event of whatever is wrong with the request names its client.
        let AuthenticatedClient { known, allowance } =
            self.authenticate_client(request.environment, &credentials, trail, now).await?;
        let counted = self.limits.take(&known.id, known.client.limits, 1, now);
        *standing = Some(counted);
        if !counted.is_admitted {
            let error = OAuthError::rate_limited(counted.retry_after_seconds());
            return Err(Refusal::new(error, "rate_limited"));
        }
        let wanted = Wanted::from_form(&form)?;
        if known.client.token_expiry(now).is_none() {
            return Err(Refusal::new(OAuthError::INVALID_CLIENT, "client_expired"));
        }
        let request_of_client = AuthenticatedRequest {
            wanted: &wanted,
            client: &known.client,
            ceiling: allowance.ceiling(),
            secret: credentials.secret.expose(),
        };
        self.grant_token(request.environment, &request_of_client, trail, now)
    }

    fn grant_token(
        &self,
        environment: Environment,
        request: &AuthenticatedRequest<'_>,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<Issued, Refusal> {
        let issuer = self.issuers.of(environment);
        let algorithm = request.client.signing_algorithm.unwrap_or(issuer.algorithm);
        let signer = self.keyring.signer(environment, algorithm, now).ok_or_else(|| {
            log::error!("{environment} has no active {algorithm} key at hand");
            Refusal::new(OAuthError::UNAVAILABLE, "no_signing_key")
        })?;
        let jti: TokenId = random::id(now).map_err(|_| Refusal::plain(OAuthError::SERVER_ERROR))?;
        trail.jti = Some(jti.as_str().into());
        let mut jwt_issuer = JwtIssuer {
            issuer: &issuer.issuer,
            environment: environment.as_str(),
            customers: &request.client.customers,
            issued_at: now,
            jti: jti.as_str(),
            sign: |claims: &crate::domain::token::Claims<'_>| signer.sign(claims).ok(),
        };
        Ok(grant::run(request, &issuer.audiences, &mut jwt_issuer)?)
    }
}
