//! Stores the events of decisions, unless a change has overtaken them.

use super::{Store, StoreConnection, StoreError, audit_log, change_log};
use crate::domain::audit::AuditEvent;
use crate::domain::change::Basis;

impl Store {
    /// Stores the events of decisions in one transaction on `connection`, which the writer of events keeps for itself.
    /// Decisions without an event take as long as one with. Returns which decisions are stale: their events are not
    /// stored.
    ///
    /// The change log is read after the insertion: SQLite's writers wait for one another there, and whatever PostgreSQL
    /// commits until then is seen (READ COMMITTED).
    ///
    /// # Errors
    /// The database refuses one of them; none is stored then.
    pub fn append_events<'e>(
        &self,
        connection: &mut StoreConnection,
        decisions: impl Iterator<Item = (Option<&'e AuditEvent>, &'e Basis)> + Clone,
    ) -> Result<Vec<bool>, StoreError> {
        self.transaction_on(connection, |connection| {
            let events = decisions.clone().filter_map(|(event, _)| event);
            if events.clone().next().is_none() {
                audit_log::beat(connection)?;
            }
            audit_log::insert(connection, events)?;
            let stale = change_log::stale(connection, decisions.clone().map(|(_, basis)| basis))?;
            let unstored = decisions.zip(&stale).filter(|(_, is_stale)| **is_stale);
            let unstored: Vec<&str> =
                unstored.filter_map(|((event, _), _)| event.map(|event| event.id.as_str())).collect();
            if !unstored.is_empty() {
                audit_log::take_back(connection, &unstored)?;
            }
            Ok::<_, StoreError>(stale)
        })
    }
}
