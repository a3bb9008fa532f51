//! Gets one credential, or lists them.

use std::sync::Arc;

use super::ownership::visible;
use super::{Credentials, Verb, action, find_reachable, tie};
use crate::domain::audit::{Origin, Reason};
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialFilter, CredentialId, CredentialKind, RawApiKey, TiedCredential};
use crate::domain::listing::Listing;
use crate::service::access::digest_of;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::{credential_list, credentials};

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
                tie::tied(connection, caller, credential)
            })
            .await
    }

    /// Finds the API key that has or had this value, whatever its status. Neither the value nor a key that the caller
    /// does not see is recorded.
    ///
    /// # Errors
    /// No such key is visible to the caller.
    pub async fn find_key(
        &self,
        caller: &Caller,
        value: &str,
        origin: Arc<Origin>,
    ) -> Result<TiedCredential, ServiceError> {
        let kind = CredentialKind::ApiKey;
        let digest = RawApiKey::parse(value).map(|raw| digest_of(&raw));
        let reader = caller.clone();
        let found = self.recorder.store().read(move |connection| {
            let id = digest.map(|digest| credentials::id_by_digest(connection, &digest)).transpose()?.flatten();
            let id = id.and_then(|id| CredentialId::of_kind(kind, &id));
            find_reachable(connection, &reader, kind, kind.read_permission(), id.as_ref())
        });
        match found.await {
            Ok(key) => self.get(caller, kind, key.id.as_str(), origin).await,
            Err(error) => {
                let context = AuditContext::of(caller, action(kind, Verb::Read), origin);
                Err(self.recorder.refused(&context, error).await)
            }
        }
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
                Ok(Listing { rows: tie::all_tied(connection, caller, rows)?, rest })
            })
            .await
    }
}
