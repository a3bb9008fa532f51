//! Checks whether tokens can be issued.

use std::sync::Arc;

use super::Operations;
use crate::domain::audit::Origin;
use crate::store::{self, StoreError};

/// The preconditions of issuing a token, and whether each is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The database responds.
    pub database: bool,
    /// Audit events can be stored; without them nothing is granted.
    pub audit: bool,
    /// Every environment has a signing key of every algorithm.
    pub signing_keys: bool,
}

impl Readiness {
    /// Returns whether all preconditions are met.
    pub const fn is_ready(self) -> bool {
        self.database && self.audit && self.signing_keys
    }
}

impl Operations {
    /// Checks the preconditions of issuing a token.
    pub async fn readiness(&self, origin: Arc<Origin>) -> Readiness {
        let ping = self.recorder.store().read(store::ping_connection).await;
        let database = ping.inspect_err(|error: &StoreError| log::warn!("{error}")).is_ok();
        Readiness {
            database,
            audit: database && self.recorder.can_record(origin).await,
            signing_keys: self.keyring.is_complete(&self.algorithms, self.recorder.now()),
        }
    }
}
