//! Gets one credential, or lists them.

use std::sync::Arc;

use super::ownership::visible;
use super::{Credentials, TiedCredential, Verb, action, all_with_customers, find_reachable, with_customers};
use crate::domain::audit::{Origin, Reason};
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialFilter, CredentialId, CredentialKind};
use crate::domain::listing::Listing;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::credential_list;

impl Credentials {
    /// Gets the credential `id` of `kind`.
    ///
    /// # Errors
    /// The credential is not visible to the caller.
    pub async fn get(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        id: &str,
        origin: Arc<Origin>,
    ) -> Result<TiedCredential, ServiceError> {
        let context = AuditContext::of(caller, action(kind, Verb::Read), origin).on(id);
        let id = CredentialId::of_kind(kind, id);
        let permission = kind.read_permission();
        self.recorder
            .read(caller, &context, move |connection, caller| {
                let credential = find_reachable(connection, caller, kind, permission, id.as_ref())?;
                with_customers(connection, credential)
            })
            .await
    }

    /// Lists credentials that are visible to the caller, newest first. A list that takes too long returns what it has.
    ///
    /// # Errors
    /// The audit event cannot be stored.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: CredentialFilter,
        limit: usize,
        origin: Arc<Origin>,
    ) -> Result<Listing<TiedCredential, CredentialId>, ServiceError> {
        let (kind, permission) = (filter.kind, filter.kind.read_permission());
        let context = AuditContext::of(caller, action(kind, Verb::List), origin);
        self.recorder
            .read_slowly(caller, &context, Reason::Ok, move |connection, caller, deadline| {
                let Some(filter) = visible(caller, permission, filter.clone()) else { return Ok(Listing::empty()) };
                let Listing { rows, rest } = credential_list::page(connection, &filter, limit, Some(deadline))?;
                Ok(Listing { rows: all_with_customers(connection, rows)?, rest })
            })
            .await
    }
}
