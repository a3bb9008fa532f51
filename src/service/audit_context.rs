//! The audit context of a request: what its audit event records.

use std::sync::Arc;

use crate::crypto::digest::sha256;
use crate::domain::audit::{Action, Claimed, Origin};
use crate::domain::caller::Caller;
use crate::domain::credential::Credential;
use crate::domain::customer::Tenant;
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, TokenId};
use crate::domain::lease::Lease;
use crate::domain::text;
use crate::domain::token::SignedToken;

/// Longest target that is recorded, in bytes.
const TARGET_MAX: usize = 128;

/// What the audit event of a request records, as far as it is known.
#[derive(Clone, Debug)]
pub struct AuditContext {
    /// The action of the request.
    pub action: Action,
    /// The actor.
    pub actor: Arc<str>,
    /// The credential that was used or attempted, once it is known to exist.
    pub credential: Option<Arc<str>>,
    /// The client or key that the request claims to be, if that is not its credential's id.
    pub claimed: Option<Claimed>,
    /// The customer concerned.
    pub customer: Option<Arc<str>>,
    /// The target of the action.
    pub target: Option<Arc<str>>,
    /// The environment concerned.
    pub environment: Option<Environment>,
    /// The token concerned.
    pub jti: Option<Arc<str>>,
    /// The origin of the request.
    pub origin: Arc<Origin>,
    /// The lease of the background loop that makes the change, if one does.
    pub lease: Option<Lease>,
}

/// The credential or token that a request was made with, as far as a decision identified it.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The credential, once it is known to exist.
    pub credential: Option<Arc<str>>,
    /// The client or key that the request claims to be, if that is not the credential's id.
    pub claimed: Option<Claimed>,
    /// Whether the credential authenticated, and so is the actor.
    pub is_authenticated: bool,
    /// The customer that it was used for, or the only one that it is tied to.
    pub customer: Option<Arc<str>>,
    /// The environment that the event belongs to.
    pub environment: Option<Environment>,
    /// The token.
    pub jti: Option<Arc<str>>,
}

impl Subject {
    /// A credential that exists and has not authenticated.
    pub fn of(credential: &Credential) -> Self {
        Self {
            credential: Some(Arc::clone(credential.id.shared())),
            customer: only(&credential.customers),
            environment: Some(credential.environment),
            ..Self::default()
        }
    }

    /// A client that does not exist.
    pub fn claiming(client_id: &str) -> Self {
        Self { claimed: Some(claimed(client_id)), ..Self::default() }
    }

    /// The client of a token that it signed, before the client is known to exist.
    pub fn of_token(token: &SignedToken) -> Self {
        Self {
            credential: Some(token.claims.client_id.as_str().into()),
            environment: Some(token.environment),
            jti: Some(Arc::clone(token.jti.shared())),
            ..Self::default()
        }
    }

    /// The same credential, having authenticated.
    #[must_use]
    pub fn authenticated(self) -> Self {
        Self { is_authenticated: true, ..self }
    }

    /// The same, used for `customer`, if known.
    #[must_use]
    pub fn used_for(self, customer: Option<&Tenant>) -> Self {
        match customer {
            Some(customer) => Self { customer: Some(Arc::clone(customer.id.shared())), ..self },
            None => self,
        }
    }

    /// The same, tied to these customers.
    #[must_use]
    pub fn tied_to(self, customers: &[CustomerId]) -> Self {
        Self { customer: only(customers), ..self }
    }

    /// The same with the token that was used.
    #[must_use]
    pub fn with_token(self, jti: &TokenId) -> Self {
        Self { jti: Some(Arc::clone(jti.shared())), ..self }
    }
}

impl AuditContext {
    /// A request whose actor is not known yet.
    pub fn anonymous(action: Action, environment: Option<Environment>, origin: Arc<Origin>) -> Self {
        let actor = "anonymous".into();
        Self {
            action,
            actor,
            credential: None,
            claimed: None,
            customer: None,
            target: None,
            environment,
            jti: None,
            origin,
            lease: None,
        }
    }

    /// A request by `caller`.
    pub fn of(caller: &Caller, action: Action, origin: Arc<Origin>) -> Self {
        Self {
            action,
            actor: caller.actor(),
            credential: caller.credential(),
            claimed: None,
            customer: only(caller.customers()),
            target: None,
            environment: caller.environment(),
            jti: None,
            origin,
            lease: caller.lease().cloned(),
        }
    }

    /// Returns the client or key that the request claims to be, by which its refusals are counted.
    pub fn claimed(&self) -> Option<Claimed> {
        self.claimed.or_else(|| self.credential.as_deref().map(claimed))
    }

    /// The same with the target `name`, which comes from the request and is made safe to record.
    #[must_use]
    pub fn on(self, name: &str) -> Self {
        Self { target: Some(text::recordable(name, TARGET_MAX).into()), ..self }
    }

    /// The same with a credential as the target.
    #[must_use]
    pub fn on_credential(self, credential: &Credential) -> Self {
        let id = Arc::clone(credential.id.shared());
        self.on_target(id, Some(credential.environment), &credential.customers)
    }

    /// The same with the target `id`, of this environment and tied to these customers.
    #[must_use]
    pub fn on_target(self, id: Arc<str>, environment: Option<Environment>, customers: &[CustomerId]) -> Self {
        Self { target: Some(id), environment, customer: only(customers), ..self }
    }

    /// The same with the credential or token that the request was made with. The event of a credential belongs to its
    /// own environment, also at another issuer.
    #[must_use]
    pub fn with_subject(self, subject: Subject) -> Self {
        let actor = subject.credential.clone().filter(|_| subject.is_authenticated).unwrap_or(self.actor);
        Self {
            actor,
            credential: subject.credential.or(self.credential),
            claimed: subject.claimed,
            customer: subject.customer,
            environment: subject.environment.or(self.environment),
            jti: subject.jti,
            ..self
        }
    }
}

/// Returns the claim to be the client or key that this text names.
pub fn claimed(text: &str) -> Claimed {
    Claimed::of(&sha256(text.as_bytes()))
}

/// Returns the customer, if there is exactly one.
fn only(customers: &[CustomerId]) -> Option<Arc<str>> {
    match customers {
        [one] => Some(Arc::clone(one.shared())),
        _ => None,
    }
}
