//! Stores and finds epochs.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::epochs;
use super::{AnyConnection, StoreError, damaged, join, split};
use crate::domain::epoch::{Epoch, Extent};
use crate::domain::time::Timestamp;

/// A row of the table `epochs`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = epochs, treat_none_as_default_value = false)]
pub struct EpochRow {
    pub(super) sequence: i64,
    id: String,
    environment: Option<String>,
    owner: Option<String>,
    customer: Option<String>,
    within: String,
    created_at: i64,
    actor: String,
    credential: Option<String>,
    request_id: String,
    clients: Option<i64>,
    keys: Option<i64>,
    expanded_to: String,
    expanded_at: Option<i64>,
}

/// How many clients and API keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of clients.
    pub clients: i64,
    /// Number of API keys.
    pub keys: i64,
}

/// An epoch with what the events of its credentials say of it.
#[derive(Debug)]
pub struct StoredEpoch {
    /// The epoch.
    pub epoch: Epoch,
    /// Its id.
    pub id: String,
    /// The actor who made it.
    pub actor: String,
    /// The credential that called.
    pub credential: Option<String>,
    /// The request that made it.
    pub request_id: String,
    /// What it was to end, as counted before; `None` if that took too long.
    pub counted: Option<Counts>,
    /// The last credential whose row has been compared with it; empty at first.
    pub(super) expanded_to: String,
}

impl StoredEpoch {
    /// An epoch that is new.
    pub fn new(
        epoch: Epoch,
        id: String,
        (actor, credential, request_id): (String, Option<String>, String),
        counted: Option<Counts>,
    ) -> Self {
        Self { epoch, id, actor, credential, request_id, counted, expanded_to: String::new() }
    }
}

impl EpochRow {
    fn new(stored: &StoredEpoch) -> Self {
        let Epoch { sequence, extent, created_at } = &stored.epoch;
        Self {
            sequence: *sequence,
            id: stored.id.clone(),
            environment: extent.environment.map(|environment| environment.to_string()),
            owner: extent.owner.as_ref().map(ToString::to_string),
            customer: extent.customer.as_ref().map(ToString::to_string),
            within: join(&extent.within),
            created_at: created_at.millis(),
            actor: stored.actor.clone(),
            credential: stored.credential.clone(),
            request_id: stored.request_id.clone(),
            clients: stored.counted.map(|counted| counted.clients),
            keys: stored.counted.map(|counted| counted.keys),
            expanded_to: stored.expanded_to.clone(),
            expanded_at: None,
        }
    }

    /// A damaged epoch is an error, never one that ends nothing.
    fn into_stored(self) -> Result<StoredEpoch, StoreError> {
        let wrong = |column| damaged("epochs", &self.id, column);
        let extent = Extent {
            environment: self.environment.as_deref().map(str::parse).transpose().map_err(|_| wrong("environment"))?,
            owner: self.owner.as_deref().map(str::parse).transpose().map_err(|_| wrong("owner"))?,
            customer: self.customer.as_deref().map(str::parse).transpose().map_err(|_| wrong("customer"))?,
            within: split(&self.within).map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong("within"))?,
        };
        let created_at = Timestamp::from_millis(self.created_at);
        Ok(StoredEpoch {
            epoch: Epoch { sequence: self.sequence, extent, created_at },
            id: self.id,
            actor: self.actor,
            credential: self.credential,
            request_id: self.request_id,
            counted: self.clients.zip(self.keys).map(|(clients, keys)| Counts { clients, keys }),
            expanded_to: self.expanded_to,
        })
    }
}

/// Stores a new epoch.
pub fn insert(connection: &mut AnyConnection, stored: &StoredEpoch) -> Result<(), StoreError> {
    diesel::insert_into(epochs::table).values(EpochRow::new(stored)).execute(connection)?;
    Ok(())
}

/// Finds an epoch by its id.
///
/// # Errors
/// The row is damaged.
pub fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<StoredEpoch>, StoreError> {
    let row: Option<EpochRow> =
        epochs::table.filter(epochs::id.eq(id)).select(EpochRow::as_select()).get_result(connection).optional()?;
    row.map(EpochRow::into_stored).transpose()
}

/// Lists the epochs whose rows and events are not all written, oldest first.
///
/// # Errors
/// A row is damaged.
pub fn unexpanded(connection: &mut AnyConnection) -> Result<Vec<StoredEpoch>, StoreError> {
    let rows: Vec<EpochRow> = epochs::table
        .filter(epochs::expanded_at.is_null())
        .order(epochs::sequence.asc())
        .select(EpochRow::as_select())
        .load(connection)?;
    rows.into_iter().map(EpochRow::into_stored).collect()
}

/// Lists the epochs that rows of credentials may not show yet, oldest first.
///
/// # Errors
/// A row is damaged.
pub fn open(connection: &mut AnyConnection) -> Result<Vec<Epoch>, StoreError> {
    Ok(unexpanded(connection)?.into_iter().map(|stored| stored.epoch).collect())
}

/// Stores that an epoch has been compared with all credentials up to `next`, or with all if that is `None`.
pub fn advance(
    connection: &mut AnyConnection,
    epoch: &Epoch,
    next: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = diesel::update(epochs::table.find(epoch.sequence));
    match next {
        Some(id) => row.set(epochs::expanded_to.eq(id)).execute(connection)?,
        None => row.set(epochs::expanded_at.eq(now.millis())).execute(connection)?,
    };
    Ok(())
}
