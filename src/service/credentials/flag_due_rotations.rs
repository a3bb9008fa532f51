//! Flags credentials that are due for rotation. Each is reported once, by an audit event.

use std::sync::Arc;

use super::Credentials;
use crate::domain::audit::{Action, Disposition, Origin, Outcome, Reason};
use crate::domain::caller::Caller;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::audit_seconds::KnownEntries;
use crate::store::{AnyConnection, audit_log, credential_candidates, credentials};

/// Credentials flagged in one transaction.
const STEP: i64 = 100;

impl Credentials {
    /// Stores a `credential.rotation_due` event for every credential whose secret has exceeded the rotation age since
    /// the last call.
    ///
    /// # Errors
    /// The database cannot be written. The next call flags the rest.
    pub async fn flag_due_rotations(&self, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        loop {
            let (age, origin, recorder) = (self.rotation_age, Arc::clone(origin), Arc::clone(&self.recorder));
            // Outside of the transaction, so that changes do not wait for the search.
            let now = recorder.now();
            let search = move |connection: &mut AnyConnection| {
                credential_candidates::due_rotations(connection, now.minus(age), now, STEP)
            };
            let ids = self.recorder.store().read(search).await?;
            if ids.is_empty() {
                return Ok(());
            }
            let events = self
                .recorder
                .store()
                .change(move |transaction| {
                    let now = recorder.now();
                    let due = credentials::flag_due_rotations(transaction.connection, &ids, now.minus(age), now)?;
                    let context = AuditContext::of(&Caller::System, Action::CredentialRotationDue, origin);
                    let events = due.into_iter().map(|(id, environment)| {
                        let context = AuditContext { environment, ..context.clone().on(&id) };
                        recorder.event(&context, Outcome::Success, Disposition::Unattended, Reason::RotationDue)
                    });
                    let events = events.collect::<Result<Vec<_>, _>>()?;
                    audit_log::insert(transaction.connection, &events, &KnownEntries::default())?;
                    Ok::<_, ServiceError>(events)
                })
                .await?;
            // Another process was faster, and flags the rest.
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                self.recorder.journal().pass_on(event).await;
            }
        }
    }
}
