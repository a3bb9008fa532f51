//! From a decision to its audit event.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::keys_in_memory::KnownKey;
use crate::audit::NotStored;
use crate::clock;
use crate::crypto::{CryptoError, random};
use crate::domain::audit::{AuditEvent, Origin, Outcome};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;
use crate::store::audit_seconds::Marked;
use crate::store::{Change, audit_log};

/// What is known so far of the event of one request.
#[derive(Clone, Debug)]
pub struct Trail {
    /// What is being done.
    pub action: &'static str,
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

impl Trail {
    /// The trail of something that nobody known does yet.
    pub fn anonymous(action: &'static str, environment: Option<Environment>, origin: Arc<Origin>) -> Self {
        let actor = "anonymous".into();
        Self { action, actor, credential: None, customer: None, target: None, environment, jti: None, origin }
    }

    /// The trail of something that `caller` does.
    pub fn of(caller: &Caller, action: &'static str, origin: Arc<Origin>) -> Self {
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

    /// The credential has proven itself: it is who acts.
    pub fn authenticated(&mut self, id: &Arc<str>) {
        self.actor = Arc::clone(id);
        self.credential = Some(Arc::clone(id));
    }

    /// It is about this key, used for this customer. What is done with a key is its own environment's business.
    pub fn about_key(&mut self, known: &KnownKey, customer: Option<&CustomerId>) {
        self.credential = Some(Arc::clone(&known.id));
        self.environment = Some(known.key.environment);
        self.of_customers(&known.key.customers, customer);
    }

    /// It is about a credential of these customers, used for this one of them.
    pub fn of_customers(&mut self, customers: &[CustomerId], used_for: Option<&CustomerId>) {
        self.customer = used_for.map(|customer| customer.as_str().into()).or_else(|| only(customers));
    }

    /// The event of this trail.
    ///
    /// # Errors
    /// The operating system gives no randomness for its id.
    pub fn event(&self, outcome: Outcome, status: u16, reason: &'static str) -> Result<AuditEvent, CryptoError> {
        let time = clock::now();
        Ok(AuditEvent {
            id: random::id(time)?,
            time,
            actor: Arc::clone(&self.actor),
            credential: self.credential.clone(),
            customer: self.customer.clone(),
            action: self.action,
            target: self.target.clone(),
            environment: self.environment,
            outcome,
            status,
            reason,
            jti: self.jti.clone(),
            duration_micros: i64::try_from(self.origin.started.elapsed().as_micros()).unwrap_or(i64::MAX),
            count: 1,
            origin: Arc::clone(&self.origin),
        })
    }
}

/// The customer of what has exactly one.
fn only(customers: &[CustomerId]) -> Option<Arc<str>> {
    match customers {
        [one] => Some(one.as_str().into()),
        _ => None,
    }
}

impl Services {
    /// Stores the event of something that was granted or read; without it, nothing may be handed out.
    ///
    /// # Errors
    /// The event is not stored.
    pub async fn witness(&self, trail: &Trail, status: u16, reason: &'static str) -> Result<(), NotStored> {
        let event = trail.event(Outcome::Success, status, reason).map_err(|_| NotStored)?;
        self.journal.record(event).await
    }

    /// Whether events can be stored, without which nothing is granted. Where the last could not be, one of this very question
    /// is tried, so that a node which gets no other requests meanwhile finds out when it can again.
    pub async fn can_witness(&self, origin: Arc<Origin>) -> bool {
        !self.journal.is_failing()
            || self.witness(&Trail::of(&Caller::System, "audit.probe", origin), 200, "ok").await.is_ok()
    }

    /// Stores the event of a refusal, or counts it where a flood of requests names no existing credential. A refusal is
    /// given whether or not its event could be stored: refusing grants nothing.
    pub async fn witness_refusal(&self, trail: &Trail, status: u16, reason: &'static str) {
        let outcome = if status >= 500 { Outcome::Error } else { Outcome::Refused };
        let Ok(event) = trail.event(outcome, status, reason) else { return };
        let time = event.time;
        let event = if trail.credential.is_some() { Some(event) } else { self.flood.admit(event, time) };
        match event {
            Some(event) => {
                // The journal has logged why it could not be stored.
                let _refused_all_the_same = self.journal.record(event).await;
            }
            None => self.journal.keep_pace().await,
        }
    }

    /// Changes something and stores the event of it in one transaction; where that is refused, stores the refusal.
    ///
    /// # Errors
    /// The change's own; nothing has been changed then.
    pub async fn change<T: Send + 'static>(
        &self,
        trail: Trail,
        status: u16,
        change: impl FnOnce(&mut Change<'_>, &mut Trail, Timestamp) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let mut own = trail.clone();
        let result = self
            .store
            .change(move |transaction| {
                let done = change(transaction, &mut own, clock::now())?;
                let event = own.event(Outcome::Success, status, "ok")?;
                audit_log::insert(transaction.connection, [&event], &Marked::default())?;
                Ok::<_, ServiceError>((done, event))
            })
            .await;
        match result {
            Ok((done, event)) => {
                self.journal.pass_on(event).await;
                Ok(done)
            }
            Err(error) => {
                self.witness_refusal(&trail, error.status(), error.code()).await;
                Err(error)
            }
        }
    }

    /// Reads something for `trail`'s caller, on a connection of the pool.
    ///
    /// # Errors
    /// The query's own, or the event of reading is not stored.
    pub async fn reading<T: Send + 'static>(
        &self,
        trail: Trail,
        read: impl FnOnce(&mut crate::store::AnyConnection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        match self.store.read(read).await {
            Ok(found) => {
                self.witness(&trail, 200, "ok").await.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
                Ok(found)
            }
            Err(error) => {
                self.witness_refusal(&trail, error.status(), error.code()).await;
                Err(error)
            }
        }
    }
}
