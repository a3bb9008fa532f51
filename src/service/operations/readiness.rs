//! Can tokens be issued?

use std::sync::Arc;

use super::Operations;
use crate::domain::audit::Origin;
use crate::store::{self, StoreError};

/// What issuing a token takes, and whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The database responds.
    pub database: bool,
    /// Audit events can be stored, without which nothing is granted.
    pub audit: bool,
    /// Every environment has a signing key of every algorithm.
    pub signing_keys: bool,
}

impl Readiness {
    /// Whether all of it is there.
    pub const fn is_ready(self) -> bool {
        self.database && self.audit && self.signing_keys
    }
}

impl Operations {
    /// Checks what issuing a token takes.
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
