//! The emergency brake: every credential of an environment, an owner or a customer, in one act.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use crate::domain::audit::{Origin, Outcome};
use crate::domain::caller::Caller;
use crate::domain::credential::State;
use crate::domain::environment::Environment;
use crate::store::audit_seconds::Marked;
use crate::store::change_log::Kind;
use crate::store::credentials::CredentialFilter;
use crate::store::{api_keys, audit_log, clients, customers, users};

/// Credentials changed at once.
const STEP: i64 = 500;

/// Whose credentials are ended: those of which all that is named applies.
#[derive(Clone, Debug, Default)]
pub struct Doomed {
    /// Of this environment.
    pub environment: Option<Environment>,
    /// Of this user, by id or e-mail address.
    pub owner: Option<String>,
    /// Tied to this customer, by either id.
    pub customer: Option<String>,
}

/// How many were ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    /// Clients.
    pub clients: usize,
    /// API keys.
    pub keys: usize,
}

macro_rules! revoke_each {
    ($transaction:ident, $now:ident, $filter:expr, $table:ident, $kind:expr, $trail:expr, $action:literal) => {{
        let mut filter: CredentialFilter = $filter.clone();
        let mut events = Vec::new();
        loop {
            let page = $table::list($transaction.connection, &filter, STEP)?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id.to_string());
            let told = events.len();
            for mut credential in page.into_iter().filter(|credential| credential.state != State::Revoked) {
                credential.state = State::Revoked;
                credential.updated_at = $now;
                $table::update($transaction.connection, &credential)?;
                $transaction.announce($now, $kind, credential.id.as_str())?;
                let mut trail = Trail { action: $action, ..$trail.clone() };
                trail.target = Some(Arc::clone(credential.id.shared()));
                trail.environment = Some(credential.environment);
                trail.of_customers(&credential.customers, None);
                events.push(trail.event(Outcome::Success, 200, "revoke_all")?);
            }
            audit_log::insert($transaction.connection, &events[told..], &Marked::default())?;
        }
        events
    }};
}

impl Services {
    /// Revokes every client and API key that is `doomed`, in one transaction; how many of them were not revoked before. Each
    /// has an event of its own, beside that of the act.
    ///
    /// # Errors
    /// No such user or customer; the database fails. Nothing has been revoked then.
    pub async fn revoke_all(
        &self,
        caller: &Caller,
        doomed: Doomed,
        origin: Arc<Origin>,
    ) -> Result<Ended, ServiceError> {
        let mut trail = Trail::of(caller, "credential.revoke_all", origin);
        trail.environment = doomed.environment;
        let ended = self
            .change(trail, 0, move |transaction, trail, now| {
                let (mut owner, mut customer) = (None, None);
                if let Some(name) = &doomed.owner {
                    let user = users::find_named(transaction.connection, name)?;
                    owner = Some(user.ok_or(ServiceError::NotFound("user"))?.id);
                }
                if let Some(name) = &doomed.customer {
                    let found = customers::find_named(transaction.connection, name)?;
                    customer = Some(found.ok_or(ServiceError::NotFound("customer"))?.id);
                }
                trail.target = owner.as_ref().map(|owner| Arc::clone(owner.shared()));
                trail.customer = customer.as_ref().map(|customer| Arc::clone(customer.shared()));
                let filter = CredentialFilter {
                    environment: doomed.environment,
                    owner,
                    customer: customer.map(|customer| customer.to_string()),
                    ..CredentialFilter::default()
                };
                let clients = revoke_each!(transaction, now, filter, clients, Kind::Client, trail, "client.revoke");
                let keys = revoke_each!(transaction, now, filter, api_keys, Kind::ApiKey, trail, "key.revoke");
                Ok((clients, keys))
            })
            .await;
        self.clients.memory().forget_all();
        self.keys.memory().forget_all();
        let (clients, keys) = ended?;
        let ended = Ended { clients: clients.len(), keys: keys.len() };
        for event in clients.into_iter().chain(keys) {
            self.journal.pass_on(event).await;
        }
        Ok(ended)
    }
}
