//! Revokes every credential of an environment, an owner or a customer at once, for emergencies. It is one row, in force
//! when the use case returns, however many credentials that are; their rows and events follow in small steps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Operations;
use crate::crypto::random;
use crate::domain::audit::{Action, Disposition, Origin, Reason};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::epoch::{Epoch, Extent};
use crate::domain::ids::EpochId;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::{FieldError, ServiceError};
use crate::service::expansion::{self, Step};
use crate::service::idempotency::RepeatableRequest;
use crate::store::epochs::{self, Counts, StoredEpoch};
use crate::store::{AnyConnection, customers, epoch_rows, users};

/// How long an emergency waits until what it ends is counted.
const COUNTING: Duration = Duration::from_secs(3);
/// The shortest pause between two steps of the expansion.
const PAUSE: Duration = Duration::from_millis(10);

/// Which credentials to revoke. All that is named must apply, and something must be.
#[derive(Clone, Debug, Default)]
pub struct RevokeFilter {
    /// The environment; the caller's own if `None`.
    pub environment: Option<Environment>,
    /// The owner, by id or e-mail address.
    pub owner: Option<String>,
    /// A customer that the credential is tied to, by id or external id.
    pub customer: Option<String>,
}

/// What was revoked, or would be.
#[derive(Clone, Debug)]
pub struct RevokedAll {
    /// The id of the act; `None` if it was only counted.
    pub id: Option<String>,
    /// How many credentials it revokes, as counted just before. What was revoked already is not counted. `None` if the
    /// count took too long, which stops no emergency.
    pub counts: Option<Counts>,
    /// How many of them were used lately, where that was asked for and the count did not take too long.
    pub used: Option<Counts>,
}

impl Operations {
    /// Counts the credentials that [`Operations::revoke_all`] would revoke now, and those of them that were used since
    /// `used_since`, if it is given.
    ///
    /// # Errors
    /// As [`Operations::revoke_all`].
    pub async fn count_for_revoke_all(
        &self,
        caller: &Caller,
        filter: RevokeFilter,
        used_since: Option<Timestamp>,
        origin: Arc<Origin>,
    ) -> Result<RevokedAll, ServiceError> {
        let mut context = context_of(caller, &filter, origin);
        self.extent(caller, filter.clone(), &mut context).await?;
        let count = move |connection: &mut AnyConnection, caller: &Caller, _: Instant| {
            let extent = resolve(connection, caller, &filter)?;
            let counts = epoch_rows::count(connection, &extent, None)?;
            let used = used_since.map(|since| epoch_rows::count(connection, &extent, Some(since)));
            Ok((counts, used.and_then(|used| used.inspect_err(|error| log::warn!("revoke-all: {error}")).ok())))
        };
        let (counts, used) = self.recorder.read_slowly(caller, &context, Reason::DryRun, count).await?;
        Ok(RevokedAll { id: None, counts: Some(counts), used })
    }

    /// Revokes every credential that passes `filter` and is visible to the caller, as an epoch: one short transaction,
    /// and in force when it returns. What is created, tied or transferred later is not revoked by it.
    ///
    /// # Errors
    /// Nothing is named; or the environment, the owner or the customer is not visible to the caller. Nothing has been
    /// revoked then.
    pub async fn revoke_all(
        &self,
        caller: &Caller,
        filter: RevokeFilter,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<RevokedAll, ServiceError> {
        let mut context = context_of(caller, &filter, Arc::clone(&origin));
        if let Some(replay) = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await? {
            let stored = self
                .recorder
                .replay(caller, &context, Disposition::Ok, move |connection, _| {
                    epochs::find(connection, &replay.object)?.ok_or(ServiceError::Gone("act"))
                })
                .await?;
            return Ok(RevokedAll { id: Some(stored.id), counts: stored.counted, used: None });
        }
        let extent = self.extent(caller, filter.clone(), &mut context).await?;
        // Before the transaction: to count takes time, for which no other change must wait.
        let counted = tokio::time::timeout(COUNTING, self.count(extent)).await;
        let counts = counted.unwrap_or_else(|_| Err(ServiceError::Unavailable("counting took too long".to_owned())));
        let counts = counts.inspect_err(|error| log::warn!("revoke-all: {error}")).ok();
        let id: EpochId = random::id(self.recorder.now())?;
        let own_id = id.to_string();
        let idempotency = Arc::clone(&self.idempotency);
        let epoch = self
            .recorder
            .change(caller, context, Disposition::Ok, move |transaction, _, caller, now| {
                let extent = resolve(transaction.connection, caller, &filter)?;
                let epoch = Epoch { sequence: transaction.sequence(), extent, created_at: now };
                let credential = caller.credential().map(|id| id.to_string());
                let maker = (caller.actor().to_string(), credential, origin.request_id.to_string());
                let stored = StoredEpoch::new(epoch, own_id, maker, counts);
                epochs::insert(transaction.connection, &stored)?;
                transaction.announce_epoch(now, &stored.epoch)?;
                let done = (Action::CredentialRevokeAll, stored.id.as_str());
                idempotency.keep(transaction, repeat.as_ref(), done, None, now)?;
                Ok(stored.epoch)
            })
            .await?;
        self.credentials.add_epoch(epoch).await;
        Ok(RevokedAll { id: Some(id.to_string()), counts, used: None })
    }

    /// Resolves the names in `filter` as far as they are visible to the caller, which the event names, too.
    async fn extent(
        &self,
        caller: &Caller,
        filter: RevokeFilter,
        context: &mut AuditContext,
    ) -> Result<Extent, ServiceError> {
        let own = caller.clone();
        match self.recorder.store().read(move |connection| resolve(connection, &own, &filter)).await {
            Ok(extent) => {
                context.target = extent.owner.as_ref().map(|owner| Arc::clone(owner.shared()));
                if let Some(customer) = &extent.customer {
                    context.customer = Some(Arc::clone(customer.shared()));
                }
                Ok(extent)
            }
            Err(error) => Err(self.recorder.refused(context, error).await),
        }
    }

    async fn count(&self, extent: Extent) -> Result<Counts, ServiceError> {
        let count = move |connection: &mut AnyConnection, _: Instant| Ok(epoch_rows::count(connection, &extent, None)?);
        self.recorder.store().read_slowly(count).await
    }

    /// Writes what epochs have ended into rows and events, in small steps, until nothing is left.
    ///
    /// # Errors
    /// The database cannot be written. The next call does what is left.
    pub async fn expand_epochs(&self) -> Result<(), ServiceError> {
        while self.credentials.has_open_epochs() {
            let started = Instant::now();
            match self.expand_next().await? {
                Step::Compared(events) => self.recorder.journal().count_stored(events),
                Step::Expanded(events) => {
                    self.credentials.reload_epochs(&[]).await?;
                    self.recorder.journal().count_stored(events);
                }
                // Another process was faster.
                Step::Idle => self.credentials.reload_epochs(&[]).await?,
            }
            // Half of the time is left to others.
            tokio::time::sleep(started.elapsed().max(PAUSE)).await;
        }
        Ok(())
    }

    async fn expand_next(&self) -> Result<Step, ServiceError> {
        let recorder = Arc::clone(&self.recorder);
        let _turn = self.recorder.turn().await?;
        self.recorder.store().change(move |transaction| expansion::expand_next(transaction, &recorder)).await
    }
}

fn context_of(caller: &Caller, filter: &RevokeFilter, origin: Arc<Origin>) -> AuditContext {
    let context = AuditContext::of(caller, Action::CredentialRevokeAll, origin);
    AuditContext { environment: filter.environment.or(context.environment), ..context }
}

/// Resolves the names in `filter`. All that are not visible to the caller are named in one error.
fn resolve(connection: &mut AnyConnection, caller: &Caller, filter: &RevokeFilter) -> Result<Extent, ServiceError> {
    let mut wrong = Vec::new();
    if filter.environment.is_none() && filter.owner.is_none() && filter.customer.is_none() {
        wrong.push(FieldError::new("environment", "is required, or owner or customer is"));
    }
    let mut extent = Extent {
        environment: filter.environment.or(caller.environment()),
        within: caller.customers().to_vec(),
        ..Extent::default()
    };
    if let Some(name) = &filter.owner {
        let user = users::find_named(connection, name)?.map(|user| user.id);
        extent.owner = user.filter(|user| caller.sees_users() || caller.owner() == Some(user));
        if extent.owner.is_none() {
            wrong.push(FieldError::new("owner", "is not the id or e-mail address of a user: there is no such user"));
        }
    }
    if let Some(name) = &filter.customer {
        let customer = customers::find_named(connection, name)?.map(|customer| customer.id);
        extent.customer = customer.filter(|customer| caller.sees_customers(std::slice::from_ref(customer)));
        if extent.customer.is_none() {
            wrong.push(FieldError::new("customer", "is not the id of a customer: there is no such customer"));
        }
    }
    if !wrong.is_empty() {
        return Err(ServiceError::Invalid(wrong));
    }
    let is_beyond = filter.environment.is_some_and(|environment| !caller.sees(environment));
    if is_beyond { Err(ServiceError::BeyondReach) } else { Ok(extent) }
}
