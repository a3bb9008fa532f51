//! Credentials that are due to be rotated: each is told of once, by an event.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use crate::clock;
use crate::domain::audit::{Origin, Outcome};
use crate::domain::caller::Caller;
use crate::store::audit_seconds::Marked;
use crate::store::{audit_log, credentials};

/// Credentials told of in one transaction.
const STEP: i64 = 100;

impl Services {
    /// Stores a `credential.rotation_due` event for every credential whose secret or key has become older than the rotation
    /// age since the last call.
    ///
    /// # Errors
    /// The database fails; what was not told is told next time.
    pub async fn note_due_rotations(&self, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        loop {
            let (age, origin) = (self.rotation_age, Arc::clone(origin));
            let told = self
                .store
                .change(move |transaction| {
                    let now = clock::now();
                    let due = credentials::note_due(transaction.connection, now.minus(age), now, STEP)?;
                    let events = due
                        .iter()
                        .map(|(id, environment)| {
                            let mut trail = Trail::of(&Caller::System, "credential.rotation_due", Arc::clone(&origin));
                            trail.target = Some(id.as_str().into());
                            trail.environment = environment.parse().ok();
                            trail.event(Outcome::Success, 0, "rotation_due")
                        })
                        .collect::<Result<Vec<_>, _>>()?;
                    audit_log::insert(transaction.connection, &events, &Marked::default())?;
                    Ok::<_, ServiceError>(events)
                })
                .await?;
            let count = told.len();
            for event in told {
                self.journal.pass_on(event).await;
            }
            if count == 0 {
                return Ok(());
            }
        }
    }
}
