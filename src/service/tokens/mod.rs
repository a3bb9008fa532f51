//! The life of a token: issued to a client that authenticates, asked about, revoked.

mod authenticate_client;
mod introspect;
mod issue;
mod revoke;
mod token_verifier;

pub use authenticate_client::ClientAuthenticator;
pub use introspect::Introspection;
pub use token_verifier::{NotInForce, TokenInForce, TokenVerifier};

use std::sync::Arc;

use super::audit_context::Subject;
use super::recorder::Recorder;
use super::state::keyring::Keyring;
use super::state::limits::Limits;
use super::state::revoked_tokens::RevokedTokens;
use crate::config::Issuers;
use crate::crypto::digest::sha256;
use crate::domain::audit::{Origin, Reason};
use crate::domain::environment::Environment;
use crate::oauth::client_authentication::{SecretCredentials, extract_credentials};
use crate::oauth::error::{OAuthError, UnreadableBody};
use crate::oauth::form::Form;
use crate::store::StoreError;

/// What the protocol's endpoints work with.
#[derive(Debug)]
pub struct Tokens {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// Authenticates clients.
    pub authenticator: ClientAuthenticator,
    /// Verifies tokens.
    pub verifier: Arc<TokenVerifier>,
    /// Which single tokens were revoked.
    pub revoked: Arc<RevokedTokens>,
    /// Rate limits.
    pub limits: Arc<Limits>,
    /// Signing keys.
    pub keyring: Arc<Keyring>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// The public keys of an environment as they are served.
#[derive(Clone, Debug)]
pub struct JwkSet {
    /// A JWK Set (RFC 7517 §5).
    pub keys: String,
    /// SHA-256 of it, for an entity tag.
    pub digest: [u8; 32],
}

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
    pub body: Result<&'r [u8], UnreadableBody>,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl ProtocolRequest<'_> {
    /// The form and the authentication in it.
    fn read(&self) -> Result<(Form<'_>, SecretCredentials), OAuthError> {
        let form = Form::parse(self.body.map_err(OAuthError::UnreadableBody)?)?;
        let credentials = extract_credentials(&self.authorization, self.query, &form)?;
        Ok((form, credentials))
    }
}

/// A refusal: what its sender is told, why it is so, and what its event says of the sender.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// For the response.
    pub error: OAuthError,
    /// For the audit event.
    pub reason: Reason,
    /// For the audit event.
    pub subject: Subject,
}

impl Refusal {
    /// A refusal with its true reason, of a sender that is not known.
    fn new(error: OAuthError, reason: Reason) -> Self {
        Self { error, reason, subject: Subject::default() }
    }

    /// The same, of a sender that is known.
    fn of(self, subject: Subject) -> Self {
        Self { subject, ..self }
    }

    /// The service cannot decide: the database cannot be read.
    fn store(error: &StoreError) -> Self {
        log::error!("{error}");
        Self::new(OAuthError::Unavailable, Reason::StoreUnavailable)
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::new(error, error.reason())
    }
}

impl Tokens {
    /// The public keys of `environment`: every key that a token in force may be signed with, and the next ones. They
    /// are in memory, so that they are served while the database is down.
    pub fn jwks(&self, environment: Environment) -> JwkSet {
        let keys = self.keyring.jwks(environment, self.recorder.now()).to_string();
        JwkSet { digest: sha256(keys.as_bytes()), keys }
    }
}
