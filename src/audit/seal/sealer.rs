//! Seals stored events. One process at a time does this, under a lease.

use super::digest::{Digest, Digests, START, Salt};
use crate::audit::Pace;
use crate::crypto::{self, random};
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;
use crate::store::audit_seals::{self, SealRow};
use crate::store::{AnyConnection, Store, StoreError, audit_chain};

/// Events of a seal at most: 80 kilobytes.
const BLOCK: i64 = 1_024;

/// The sealer of an installation, as one process runs it.
#[derive(Debug)]
pub struct Sealer {
    store: Store,
    pace: Pace,
}

impl Sealer {
    /// Creates a sealer, which does nothing before it is called.
    pub const fn new(store: Store, pace: Pace) -> Self {
        Self { store, pace }
    }

    /// Seals the events that have positions. While the server is busy, seals lag behind.
    ///
    /// # Errors
    /// The database cannot be written, or another process has taken over the lease. The next call seals what is left.
    pub async fn seal(&self, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
        while self.pace.step(self.seal_block(lease, now)).await? {}
        Ok(())
    }

    /// Seals the next events, and returns whether there may be more.
    async fn seal_block(&self, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let Some(seal) = self.store.read(move |connection| next(connection, now)).await? else { return Ok(false) };
        let is_full = seal.events == BLOCK;
        self.store.under(lease, move |connection| audit_seals::append(connection, seal)).await?;
        Ok(is_full)
    }
}

/// Makes the seal of the next events; `None` if all are sealed.
fn next(connection: &mut AnyConnection, now: Timestamp) -> Result<Option<SealRow>, StoreError> {
    let (end, mut chain) = match audit_seals::last(connection)? {
        Some(last) => (last.last_position(), chain_of(&last)?),
        None => (0, START),
    };
    let page = audit_chain::read_after(connection, end, BLOCK)?;
    if page.until == end {
        return Ok(None);
    }
    let mut seal = SealRow {
        position: end + 1,
        events: page.until - end,
        sealed_at: now.millis(),
        contents: vec![],
        persons: vec![],
        salts: vec![],
        chain: vec![],
    };
    let mut events = page.events.iter().peekable();
    for position in seal.position..=page.until {
        let salt: Salt = random::bytes().map_err(|crypto::CryptoError| {
            StoreError::Unavailable("the operating system provides no randomness".to_owned())
        })?;
        let event = events.next_if(|(at, _)| *at == position);
        let digests = event.map_or(Digests::ABSENT, |(_, event)| Digests::of(event, &salt));
        chain = digests.follow(&chain);
        seal.contents.extend(digests.content);
        seal.persons.extend(digests.person);
        seal.salts.extend(salt);
    }
    seal.chain = chain.to_vec();
    Ok(Some(seal))
}

/// Reads the value of the chain after a seal.
fn chain_of(seal: &SealRow) -> Result<Digest, StoreError> {
    let damaged = || StoreError::Damaged { table: "audit_seals", row: seal.position.to_string(), column: "chain" };
    seal.chain.as_slice().try_into().map_err(|_| damaged())
}
