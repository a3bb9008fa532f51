//! Revokes every credential of an environment, an owner or a customer at once, for emergencies.

use std::sync::Arc;

use super::Operations;
use crate::domain::audit::{Action, AuditEvent, Disposition, Origin, Outcome, Reason};
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialFilter, CredentialKind, State};
use crate::domain::environment::Environment;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::service::recorder::Recorder;
use crate::store::audit_seconds::KnownEntries;
use crate::store::change_log::Kind;
use crate::store::{Change, audit_log, credential_list, credentials, customers, users};

/// Credentials changed per step.
const STEP: usize = 500;

/// Filters of the credentials to revoke. A credential must match all that are given.
#[derive(Clone, Debug, Default)]
pub struct RevokeFilter {
    /// The environment.
    pub environment: Option<Environment>,
    /// The owner, by id or e-mail address.
    pub owner: Option<String>,
    /// A customer that the credential is tied to, by id or external id.
    pub customer: Option<String>,
}

/// The number of credentials that were revoked and were not revoked before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revoked {
    /// Number of clients.
    pub clients: usize,
    /// Number of API keys.
    pub keys: usize,
}

impl Operations {
    /// Revokes every credential that passes `filter`, in one transaction. Each has its own event, in addition to that
    /// of the whole operation.
    ///
    /// # Errors
    /// There is no such user or customer, and nothing has been revoked.
    pub async fn revoke_all(
        &self,
        caller: &Caller,
        filter: RevokeFilter,
        origin: Arc<Origin>,
    ) -> Result<Revoked, ServiceError> {
        let environment = filter.environment;
        let context = AuditContext { environment, ..AuditContext::of(caller, Action::CredentialRevokeAll, origin) };
        let recorder = Arc::clone(&self.recorder);
        let revoked = self
            .recorder
            .change(context, Disposition::Unattended, move |transaction, context, now| {
                let base = resolve(transaction, context, &filter)?;
                let mut each = |kind| {
                    let filter = CredentialFilter { kind, ..base.clone() };
                    revoke_each(&recorder, transaction, context, filter, now)
                };
                Ok((each(CredentialKind::Client)?, each(CredentialKind::ApiKey)?))
            })
            .await;
        self.credentials.clear();
        let (clients, keys) = revoked?;
        let revoked = Revoked { clients: clients.len(), keys: keys.len() };
        for event in clients.into_iter().chain(keys) {
            self.recorder.journal().pass_on(event).await;
        }
        Ok(revoked)
    }
}

/// Resolves the names in `filter` to ids, which the event of the whole operation names too.
fn resolve(
    transaction: &mut Change<'_>,
    context: &mut AuditContext,
    filter: &RevokeFilter,
) -> Result<CredentialFilter, ServiceError> {
    let mut resolved =
        CredentialFilter { environment: filter.environment, ..CredentialFilter::all(CredentialKind::Client) };
    if let Some(name) = &filter.owner {
        let user = users::find_named(transaction.connection, name)?.ok_or(ServiceError::NotFound("user"))?;
        context.target = Some(Arc::clone(user.id.shared()));
        resolved.owner = Some(user.id);
    }
    if let Some(name) = &filter.customer {
        let found = customers::find_named(transaction.connection, name)?;
        let customer = found.ok_or(ServiceError::NotFound("customer"))?;
        context.customer = Some(Arc::clone(customer.id.shared()));
        resolved.customer = Some(customer.id.to_string());
    }
    Ok(resolved)
}

fn revoke_each(
    recorder: &Recorder,
    transaction: &mut Change<'_>,
    context: &AuditContext,
    mut filter: CredentialFilter,
    now: Timestamp,
) -> Result<Vec<AuditEvent>, ServiceError> {
    let action = match filter.kind {
        CredentialKind::Client => Action::ClientRevoke,
        CredentialKind::ApiKey => Action::KeyRevoke,
    };
    let mut events = Vec::new();
    loop {
        let page = credential_list::list(transaction.connection, &filter, STEP)?;
        let Some(last) = page.last() else { return Ok(events) };
        filter.before = Some(last.id.clone());
        let stored = events.len();
        for mut credential in page.into_iter().filter(|credential| credential.state != State::Revoked) {
            credential.state = State::Revoked;
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            transaction.announce(now, Kind::Credential, credential.id.as_str())?;
            let context = AuditContext { action, ..context.clone() }.on_credential(&credential);
            events.push(recorder.event(&context, Outcome::Success, Disposition::Ok, Reason::RevokeAll)?);
        }
        audit_log::insert(transaction.connection, &events[stored..], &KnownEntries::default())?;
    }
}
