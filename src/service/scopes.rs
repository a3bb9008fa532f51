//! The scope registry. What all environments share is managed from production.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::idempotency::Repeat;
use super::trail::Trail;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::scope::Scope;
use crate::domain::text;
use crate::store::StoreError;
use crate::store::scopes::{self, ScopeEntry};

const ALREADY_THERE: ServiceError =
    ServiceError::Conflict { code: "scope_exists", message: "the registry has this scope already" };

fn scope_name(text: &str) -> Result<Scope, ServiceError> {
    text.parse().map_err(|wrong: &str| ServiceError::invalid("name", wrong))
}

fn described(text: &str) -> Result<String, ServiceError> {
    text::description(text).map_err(|wrong| ServiceError::invalid("description", wrong))
}

impl Services {
    /// The trail of a change to what all environments share, which takes a caller of production.
    ///
    /// # Errors
    /// It is of another environment; the refusal has its event.
    pub(super) async fn shared_trail(
        &self,
        caller: &Caller,
        action: &'static str,
        name: &str,
        origin: Arc<Origin>,
    ) -> Result<Trail, ServiceError> {
        let mut trail = Trail::of(caller, action, origin);
        trail.target = Some(text::recordable(name, 128).into());
        let error = if !caller.sees(Environment::Production) {
            ServiceError::ProductionOnly
        } else if !caller.customers().is_empty() && !action.starts_with("customer.") {
            // What belongs to no customer is not for who is tied to some.
            ServiceError::NotFound("object")
        } else {
            return Ok(trail);
        };
        self.witness_refusal(&trail, error.status(), error.code()).await;
        Err(error)
    }

    /// Enters a scope.
    ///
    /// # Errors
    /// It is malformed or there already.
    pub async fn create_scope(
        &self,
        caller: &Caller,
        name: &str,
        description: &str,
        repeat: Repeat<ScopeEntry>,
        origin: Arc<Origin>,
    ) -> Result<ScopeEntry, ServiceError> {
        let trail = self.shared_trail(caller, "scope.create", name, origin).await?;
        let vault = Arc::clone(&self.vault);
        let (name, description) = (scope_name(name), described(description));
        self.change(trail, 201, move |transaction, _, now| {
            let entry = ScopeEntry { name: name?, description: description?, created_at: now, updated_at: now };
            match scopes::insert(transaction.connection, &entry) {
                Err(StoreError::Duplicate) => return Err(ALREADY_THERE),
                other => other?,
            }
            if let Some((request, render)) = repeat {
                request.keep(transaction, &vault, now, &render(&entry, now))?;
            }
            Ok(entry)
        })
        .await
    }

    /// Changes what is said of a scope.
    ///
    /// # Errors
    /// The registry does not have it.
    pub async fn update_scope(
        &self,
        caller: &Caller,
        name: &str,
        description: Option<&str>,
        origin: Arc<Origin>,
    ) -> Result<ScopeEntry, ServiceError> {
        let trail = self.shared_trail(caller, "scope.update", name, origin).await?;
        let (name, description) = (scope_name(name), description.map(described).transpose());
        self.change(trail, 200, move |transaction, _, now| {
            let name = name.map_err(|_| ServiceError::NotFound("scope"))?;
            let mut entry = scopes::find(transaction.connection, &name)?.ok_or(ServiceError::NotFound("scope"))?;
            if let Some(description) = description? {
                entry.description = description;
            }
            entry.updated_at = now;
            scopes::update(transaction.connection, &entry)?;
            Ok(entry)
        })
        .await
    }

    /// Takes a scope out of the registry. Credentials that hold it keep it: the registry describes, it does not gate.
    ///
    /// # Errors
    /// The registry does not have it.
    pub async fn delete_scope(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<(), ServiceError> {
        let trail = self.shared_trail(caller, "scope.delete", name, origin).await?;
        let name = scope_name(name);
        self.change(trail, 204, move |transaction, _, _| {
            let name = name.map_err(|_| ServiceError::NotFound("scope"))?;
            if scopes::remove(transaction.connection, &name)? { Ok(()) } else { Err(ServiceError::NotFound("scope")) }
        })
        .await
    }

    /// One entry of the registry.
    ///
    /// # Errors
    /// The registry does not have it.
    pub async fn scope(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<ScopeEntry, ServiceError> {
        let mut trail = Trail::of(caller, "scope.read", origin);
        trail.target = Some(text::recordable(name, 128).into());
        let name = scope_name(name).map_err(|_| ServiceError::NotFound("scope"));
        self.reading(trail, move |connection| scopes::find(connection, &name?)?.ok_or(ServiceError::NotFound("scope")))
            .await
    }

    /// The registry, newest first, from after the scope named `after`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_scopes(
        &self,
        caller: &Caller,
        after: Option<Scope>,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<ScopeEntry>, ServiceError> {
        let trail = Trail::of(caller, "scope.list", origin);
        self.reading(trail, move |connection| {
            let before = match after {
                Some(name) => Some(
                    scopes::find(connection, &name)?
                        .ok_or_else(|| ServiceError::invalid("cursor", "is out of date"))?,
                ),
                None => None,
            };
            Ok(scopes::list(connection, before.as_ref(), limit)?)
        })
        .await
    }
}
