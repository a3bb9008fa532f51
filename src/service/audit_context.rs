//! What is known of a request for its audit event.

use std::sync::Arc;

use crate::domain::audit::{Action, Origin};
use crate::domain::caller::Caller;
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, TokenId};
use crate::domain::text;

/// Longest target that is recorded, in bytes.
const TARGET_MAX: usize = 128;

/// What is known of a request for its audit event.
#[derive(Clone, Debug)]
pub struct AuditContext {
    /// What is being done.
    pub action: Action,
    /// Who acts.
    pub actor: Arc<str>,
    /// The credential that was used or tried, once it is known to exist.
    pub credential: Option<Arc<str>>,
    /// The customer concerned.
    pub customer: Option<Arc<str>>,
    /// What it is done to.
    pub target: Option<Arc<str>>,
    /// The environment concerned.
    pub environment: Option<Environment>,
    /// The token concerned.
    pub jti: Option<Arc<str>>,
    /// Where the request came from.
    pub origin: Arc<Origin>,
}

/// What a decision found out about the credential or the token that a request was made with.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The credential, once it is known to exist.
    pub credential: Option<Arc<str>>,
    /// Whether the credential proved itself: it is then the actor.
    pub is_authenticated: bool,
    /// The customer that it was used for, or the one that it is tied to.
    pub customer: Option<Arc<str>>,
    /// Its environment, which owns the event.
    pub environment: Option<Environment>,
    /// The token.
    pub jti: Option<Arc<str>>,
}

impl Subject {
    /// A credential that exists and has not proved itself.
    pub fn of(credential: &Credential) -> Self {
        Self {
            credential: Some(Arc::clone(credential.id.shared())),
            customer: only(&credential.customers),
            environment: Some(credential.environment),
            ..Self::default()
        }
    }

    /// The same, having proved itself.
    #[must_use]
    pub fn authenticated(self) -> Self {
        Self { is_authenticated: true, ..self }
    }

    /// The same, used for `customer`, if that is known.
    #[must_use]
    pub fn used_for(self, customer: Option<&CustomerId>) -> Self {
        match customer {
            Some(customer) => Self { customer: Some(Arc::clone(customer.shared())), ..self },
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
    /// A request by nobody known yet.
    pub fn anonymous(action: Action, environment: Option<Environment>, origin: Arc<Origin>) -> Self {
        let actor = "anonymous".into();
        Self { action, actor, credential: None, customer: None, target: None, environment, jti: None, origin }
    }

    /// A request by `caller`.
    pub fn of(caller: &Caller, action: Action, origin: Arc<Origin>) -> Self {
        Self {
            action,
            actor: caller.actor(),
            credential: caller.credential(),
            customer: only(caller.customers()),
            target: None,
            environment: caller.environment(),
            jti: None,
            origin,
        }
    }

    /// The same, done to what `name` names; the name comes from outside.
    #[must_use]
    pub fn on(self, name: &str) -> Self {
        Self { target: Some(text::recordable(name, TARGET_MAX).into()), ..self }
    }

    /// The same, done to a credential.
    #[must_use]
    pub fn on_credential(self, credential: &Credential) -> Self {
        let context = self.on_id(&credential.id);
        Self { environment: Some(credential.environment), customer: only(&credential.customers), ..context }
    }

    fn on_id(self, id: &CredentialId) -> Self {
        Self { target: Some(Arc::clone(id.shared())), ..self }
    }

    /// The same with what was found out about the credential that the request was made with. What is done with a
    /// credential, also at another issuer, belongs to its own environment.
    #[must_use]
    pub fn with_subject(self, subject: Subject) -> Self {
        let actor = subject.credential.clone().filter(|_| subject.is_authenticated).unwrap_or(self.actor);
        Self {
            actor,
            credential: subject.credential.or(self.credential),
            customer: subject.customer,
            environment: subject.environment.or(self.environment),
            jti: subject.jti,
            ..self
        }
    }
}

/// The customer of what is tied to exactly one.
fn only(customers: &[CustomerId]) -> Option<Arc<str>> {
    match customers {
        [one] => Some(Arc::clone(one.shared())),
        _ => None,
    }
}
