//! Flags credentials that are due for rotation. Each is reported once, by an audit event.

use std::sync::Arc;

use super::Credentials;
use crate::domain::audit::{Action, Disposition, Origin, Outcome, Reason};
use crate::domain::caller::Caller;
use crate::domain::lease::Lease;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::{AnyConnection, audit_log, credential_candidates, credentials, epochs, leases};

/// Credentials flagged in one transaction.
const STEP: i64 = 100;

impl Credentials {
    /// Stores a `credential.rotation_due` event for every credential whose secret has exceeded the rotation age since
    /// the last call.
    ///
    /// # Errors
    /// The database cannot be written, or another process runs this loop now. The next call flags the rest.
    pub async fn flag_due_rotations(&self, lease: &Lease, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        loop {
            let (age, origin, recorder) = (self.rotation_age, Arc::clone(origin), Arc::clone(&self.recorder));
            let caller = Caller::Job(lease.clone());
            let lease = lease.clone();
            // Outside of the transaction, so that changes do not wait for the search.
            let now = recorder.now();
            let search = move |connection: &mut AnyConnection| {
                credential_candidates::due_rotations(connection, now.minus(age), now, STEP)
            };
            let ids = self.recorder.store().read(search).await?;
            if ids.is_empty() {
                return Ok(());
            }
            let flagged = self
                .recorder
                .store()
                .change(move |transaction| {
                    leases::check(transaction.connection, &lease)?;
                    let now = recorder.now();
                    // Rows do not show yet which have ended: they are flagged when the epochs are expanded.
                    if !epochs::unexpanded(transaction.connection)?.is_empty() {
                        return Ok(0);
                    }
                    let due = credentials::flag_due_rotations(transaction.connection, &ids, now.minus(age), now)?;
                    let context = AuditContext::of(&caller, Action::CredentialRotationDue, origin);
                    let events = due.into_iter().map(|(id, environment)| {
                        let context = AuditContext { environment, ..context.clone().on(&id) };
                        recorder.events().event(
                            &context,
                            Outcome::Success,
                            Disposition::Unattended,
                            Reason::RotationDue,
                        )
                    });
                    let events = events.collect::<Result<Vec<_>, _>>()?;
                    audit_log::insert(transaction.connection, &events)?;
                    Ok::<_, ServiceError>(events.len())
                })
                .await?;
            // Another process was faster, and flags the rest.
            if flagged == 0 {
                return Ok(());
            }
            self.recorder.journal().count_stored(flagged);
        }
    }
}
