//! Expansion: what an epoch has ended is written into the rows of the credentials, with an audit event for each.
//! Whether a credential is accepted does not depend on it.

use std::sync::Arc;

use super::audit_context::AuditContext;
use super::error::ServiceError;
use super::recorder::Recorder;
use crate::domain::audit::{Action, Disposition, Origin, Outcome, Reason};
use crate::domain::change::ChangeKind;
use crate::domain::credential::{CredentialId, CredentialKind};
use crate::domain::ids::RequestId;
use crate::store::epochs::{self, StoredEpoch};
use crate::store::{AnyConnection, Change, audit_log, credential_customers, epoch_rows};

/// Credentials that are compared with an epoch in one transaction.
const STEP: i64 = 250;

/// What one step of the expansion has done.
#[derive(Debug)]
pub enum Step {
    /// There is nothing to expand.
    Idle,
    /// Some credentials have been compared, with so many events.
    Compared(usize),
    /// These were the last events of an epoch, so many.
    Expanded(usize),
}

/// Expands the next credentials of the oldest epoch that is not expanded. All that a step needs is read within its
/// transaction, which no other change overlaps: any process can do it at any time, after any other.
pub fn expand_next(transaction: &mut Change<'_>, recorder: &Recorder) -> Result<Step, ServiceError> {
    let Some(stored) = epochs::unexpanded(transaction.connection)?.into_iter().next() else { return Ok(Step::Idle) };
    let candidates = epoch_rows::candidates(transaction.connection, &stored, STEP)?;
    let events = expand(transaction.connection, recorder, &stored, &candidates.ids)?;
    let now = recorder.now();
    epochs::advance(transaction.connection, &stored.epoch, candidates.next.as_deref(), now)?;
    if candidates.next.is_some() {
        return Ok(Step::Compared(events));
    }
    transaction.announce(now, ChangeKind::ExpandedEpoch, &stored.epoch.sequence.to_string())?;
    Ok(Step::Expanded(events))
}

/// Expands the credential `id`, if an epoch has ended it and its row does not show that yet.
pub fn expand_one(transaction: &mut Change<'_>, recorder: &Recorder, id: &CredentialId) -> Result<usize, ServiceError> {
    let candidates = [id.to_string()];
    let mut events = 0;
    // The first that ends it changes the row, so that the others find nothing.
    for stored in epochs::unexpanded(transaction.connection)? {
        events += expand(transaction.connection, recorder, &stored, &candidates)?;
    }
    Ok(events)
}

/// Writes the rows of those of `candidates` that the epoch ends, and stores an event for each. The events have the
/// actor and the request of the epoch, and the customers that the credentials were tied to when it was made: nothing
/// can have changed them since.
fn expand(
    connection: &mut AnyConnection,
    recorder: &Recorder,
    stored: &StoredEpoch,
    candidates: &[String],
) -> Result<usize, ServiceError> {
    let ended = epoch_rows::expand(connection, &stored.epoch, candidates)?;
    if ended.is_empty() {
        return Ok(0);
    }
    let ties = credential_customers::of_each(connection, ended.iter().map(|(id, _)| id.as_str()))?;
    let origin = origin_of(recorder, stored)?;
    let mut events = Vec::with_capacity(ended.len());
    for (id, environment) in ended {
        let customers = ties.get(&id).map_or(&[][..], |ties| &ties.customers);
        let context = AuditContext {
            actor: stored.actor.as_str().into(),
            credential: stored.credential.as_deref().map(Arc::from),
            ..AuditContext::anonymous(action_on(&id), None, Arc::clone(&origin))
        };
        let context = context.on_target(id.as_str().into(), environment, customers);
        events.push(recorder.events().event(&context, Outcome::Success, Disposition::Unattended, Reason::RevokeAll)?);
    }
    audit_log::insert(connection, &events)?;
    Ok(events.len())
}

/// Returns the origin of the events of an epoch, which are found by its request.
fn origin_of(recorder: &Recorder, stored: &StoredEpoch) -> Result<Arc<Origin>, ServiceError> {
    let own = recorder.events().system_origin("revoke-all")?;
    let request_id: RequestId =
        stored.request_id.parse().map_err(|_| ServiceError::Internal(format!("epoch {}: no request", stored.id)))?;
    Ok(Arc::new(Origin { request_id, ..Origin::clone(&own) }))
}

fn action_on(id: &str) -> Action {
    match id.parse::<CredentialId>().map(|id| id.kind()) {
        Ok(CredentialKind::Client) => Action::ClientRevoke,
        _ => Action::KeyRevoke,
    }
}
