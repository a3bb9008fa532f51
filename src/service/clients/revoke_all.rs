//! The emergency brake: every client of an environment, in one act.

use std::sync::Arc;

use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::State;
use crate::domain::environment::Environment;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::service::trail::Trail;
use crate::store::change_log::Kind;
use crate::store::clients::{self, ClientFilter};

/// Clients changed at once.
const STEP: i64 = 500;

impl Services {
    /// Revokes every client of `environment` in one transaction; the number of those that were not revoked before.
    ///
    /// # Errors
    /// The database fails; nothing has been revoked then.
    pub async fn revoke_all_clients(
        &self,
        caller: &Caller,
        environment: Environment,
        origin: Arc<Origin>,
    ) -> Result<usize, ServiceError> {
        let mut trail = Trail::of(caller, "client.revoke_all", origin);
        trail.environment = Some(environment);
        let revoked = self
            .change(trail, 0, move |transaction, _, now| {
                let mut filter = ClientFilter { environment: Some(environment), ..ClientFilter::default() };
                let mut revoked = 0;
                loop {
                    let page = clients::list(transaction.connection, &filter, STEP)?;
                    let Some(last) = page.last() else { return Ok(revoked) };
                    filter.before = Some(last.id.clone());
                    for mut client in page.into_iter().filter(|client| client.state != State::Revoked) {
                        client.state = State::Revoked;
                        client.updated_at = now;
                        clients::update(transaction.connection, &client)?;
                        transaction.announce(now, Kind::Client, client.id.as_str())?;
                        revoked += 1;
                    }
                }
            })
            .await?;
        self.clients.forget_all();
        Ok(revoked)
    }
}
