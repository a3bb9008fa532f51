//! Gets one credential, or lists them.

use std::sync::Arc;

use super::ownership::visible;
use super::{Credentials, Verb, action, find_reachable};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::{Credential, CredentialFilter, CredentialId, CredentialKind};
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
        let id = CredentialId::of_kind(kind, id);
        let permission = kind.read_permission();
        self.recorder
            .read(caller, &context, move |connection, caller| {
                find_reachable(connection, caller, kind, permission, id.as_ref())
            })
            .await
    }

    /// Lists credentials that are visible to the caller, newest first.
    ///
    /// # Errors
    /// The audit event cannot be stored.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: CredentialFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<Credential>, ServiceError> {
        let (kind, permission) = (filter.kind, filter.kind.read_permission());
        let context = AuditContext::of(caller, action(kind, Verb::List), origin);
        self.recorder
            .read(caller, &context, move |connection, caller| match visible(caller, permission, filter.clone()) {
                Some(filter) => Ok(credential_list::list(connection, &filter, limit)?),
                None => Ok(vec![]),
            })
            .await
    }
}
