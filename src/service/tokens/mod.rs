//! The use cases of the protocol's endpoints: issue, introspect and revoke tokens.

mod authenticate_client;
mod introspect;
mod issue;
mod revoke;
mod token_verifier;

pub use authenticate_client::ClientAuthenticator;
pub use introspect::Introspection;
pub use token_verifier::{Known, NotInForce, TokenInForce, TokenVerifier};

use std::sync::Arc;

use super::audit_context::{AuditContext, Subject};
use super::recorder::{Decision, Recorder};
use super::state::keyring::Keyring;
use super::state::limits::Limits;
use super::state::revoked_tokens::RevokedTokens;
use crate::config::Issuers;
use crate::crypto::digest::sha256;
use crate::domain::audit::{Origin, Reason};
use crate::domain::change::Basis;
use crate::domain::environment::Environment;
use crate::domain::signing_key::PublicJwk;
use crate::oauth::client_authentication::{SecretCredentials, extract_credentials};
use crate::oauth::error::{OAuthError, UnreadableBody};
use crate::oauth::form::Form;
use crate::store::StoreError;

/// The use cases of the protocol's endpoints.
#[derive(Debug)]
pub struct Tokens {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// Authenticates clients.
    pub authenticator: ClientAuthenticator,
    /// Verifies tokens.
    pub verifier: Arc<TokenVerifier>,
    /// Tokens that were revoked individually.
    pub revoked: Arc<RevokedTokens>,
    /// Rate limits of clients.
    pub limits: Arc<Limits>,
    /// Signing keys.
    pub keyring: Arc<Keyring>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// The public keys of an environment.
#[derive(Clone, Debug)]
pub struct PublicKeys {
    /// Every key that a token in force may be signed with, and the next ones.
    pub keys: Vec<PublicJwk>,
    /// SHA-256 of them, which differs where they do.
    pub digest: [u8; 32],
}

/// A request to one of the protocol's endpoints, as it was received.
#[derive(Debug)]
pub struct ProtocolRequest<'r> {
    /// The environment of the issuer that received it.
    pub environment: Environment,
    /// Every `Authorization` field.
    pub authorization: Vec<&'r [u8]>,
    /// The query string.
    pub query: &'r str,
    /// The body, which is a form, or why it cannot be read.
    pub body: Result<&'r [u8], UnreadableBody>,
    /// The origin of the request.
    pub origin: Arc<Origin>,
}

impl ProtocolRequest<'_> {
    /// Parses the form and the authentication of the client.
    fn read(&self) -> Result<(Form<'_>, SecretCredentials), OAuthError> {
        let form = Form::parse(self.body.map_err(OAuthError::UnreadableBody)?)?;
        let credentials = extract_credentials(&self.authorization, self.query, &form)?;
        Ok((form, credentials))
    }
}

/// A refusal: the error for the sender, the reason, and the sender as the event's subject.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The error in the response.
    pub error: OAuthError,
    /// The reason for the audit event.
    pub reason: Reason,
    /// The subject of the audit event.
    pub subject: Subject,
    /// What the refusal is based on; boxed to keep results small.
    pub basis: Box<Basis>,
}

impl Refusal {
    /// A refusal of an unknown sender, with its true reason.
    fn new(error: OAuthError, reason: Reason) -> Self {
        Self { error, reason, subject: Subject::default(), basis: Box::default() }
    }

    /// Adds the sender, which is known.
    fn of(self, subject: Subject) -> Self {
        Self { subject, ..self }
    }

    /// Adds what it is based on.
    fn based_on(self, basis: Basis) -> Self {
        Self { basis: Box::new(basis), ..self }
    }

    /// The refusal as a decision, whose event `context` describes.
    fn decision<T>(self, context: &AuditContext) -> Decision<Result<T, OAuthError>> {
        let event = (self.error.disposition(), self.reason);
        Decision::refused(Err(self.error), context.clone().with_subject(self.subject), event, *self.basis)
    }

    /// A refusal because the database cannot be read.
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
    /// Returns the public keys of `environment`: every key that a token in force may be signed with, and the next ones.
    /// They are in memory, so that they are served while the database is down.
    pub fn public_keys(&self, environment: Environment) -> PublicKeys {
        let keys = self.keyring.public_keys(environment, self.recorder.now());
        let texts: Vec<&str> = keys.iter().map(PublicJwk::as_str).collect();
        PublicKeys { digest: sha256(texts.join("\n").as_bytes()), keys }
    }
}
