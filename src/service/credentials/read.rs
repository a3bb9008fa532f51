//! Gets one credential, or lists them.

use std::sync::Arc;

use super::ownership::visible;
use super::{Credentials, Verb, action, find_reachable};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::{Credential, CredentialFilter, CredentialId, CredentialKind};
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
    ) -> Result<Credential, ServiceError> {
        let context = AuditContext::of(caller, action(kind, Verb::Read), origin).on(id);
        let (own, id) = (caller.clone(), CredentialId::of_kind(kind, id));
        let permission = kind.read_permission();
        self.recorder
            .read(&context, move |connection| find_reachable(connection, &own, kind, permission, id.as_ref()))
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
    ) -> Result<Listing<Credential, CredentialId>, ServiceError> {
        let kind = filter.kind;
        let context = AuditContext::of(caller, action(kind, Verb::List), origin);
        let filter = visible(caller, kind.read_permission(), filter);
        self.recorder
            .read_slowly(&context, move |connection, deadline| match filter {
                Some(filter) => Ok(credential_list::page(connection, &filter, limit, Some(deadline))?),
                None => Ok(Listing::empty()),
            })
            .await
    }
}
