//! The use cases of users. A change requires a caller who holds the scopes of the user's role, both as it was and as it
//! will be: otherwise the caller could take over or disable a more powerful user.

use std::sync::Arc;

use super::{Directory, taken};
use crate::crypto::random;
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::ids::UserId;
use crate::domain::patch::Patch;
use crate::domain::role::RoleName;
use crate::domain::user::{NewUser, User, UserChanges, UserFilter};
use crate::service::audit_context::AuditContext;
use crate::service::error::{Conflict, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{AnyConnection, roles, users};

const NO_USER: ServiceError = ServiceError::NotFound("user");

/// Finds a user by id. Users are not visible to callers who are tied to customers.
fn find(connection: &mut AnyConnection, caller: &Caller, id: Option<&UserId>) -> Result<User, ServiceError> {
    let found = users::find(connection, id.ok_or(NO_USER)?)?;
    found.filter(|_| caller.customers().is_empty()).ok_or(NO_USER)
}

/// Checks that the role exists and that the caller holds its scopes.
fn require_above(connection: &mut AnyConnection, caller: &Caller, role: &RoleName) -> Result<(), ServiceError> {
    match roles::find(connection, role)? {
        None => Err(ServiceError::invalid("role", "is not the name of a role")),
        Some(role) if caller.holds_role(&role.scopes) => Ok(()),
        Some(_) => Err(ServiceError::ScopeExceedsCaller),
    }
}

impl Directory {
    /// Creates a user with an e-mail address that no other has.
    ///
    /// # Errors
    /// Another user has the address, there is no such role, or the caller does not hold the role's scopes.
    pub async fn create_user(
        &self,
        caller: &Caller,
        new: NewUser,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<User, ServiceError> {
        let now = self.recorder.now();
        let id: UserId = random::id(now)?;
        let action = Action::UserCreate;
        let context = self.shared_context(caller, action, id.as_str(), origin).await?;
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            let context = context.on(&replay.object);
            let id = replay.object.parse().ok();
            return self
                .recorder
                .replay(caller, &context, Disposition::Created, move |found, caller| {
                    find(found, caller, id.as_ref()).map_err(ServiceError::or_gone)
                })
                .await;
        }
        // Argon2 runs before any transaction is open.
        let password_hash = match &new.password {
            Some(password) => Some(self.passwords.hash(password).await),
            None => None,
        };
        let idempotency = Arc::clone(&self.idempotency);
        self.recorder
            .change(caller, context, Disposition::Created, move |transaction, _, caller, now| {
                require_above(transaction.connection, caller, &new.role)?;
                let user = User {
                    id,
                    email: new.email,
                    name: new.name,
                    role: new.role,
                    is_active: true,
                    password_hash: password_hash.transpose()?,
                    created_at: now,
                    updated_at: now,
                };
                users::insert(transaction.connection, &user).map_err(taken(Conflict::EmailTaken))?;
                idempotency.keep(transaction, repeat.as_ref(), (action, user.id.as_str()), None, now)?;
                Ok(user)
            })
            .await
    }

    /// Updates a user. A new role limits the scopes of the user's credentials from then on.
    ///
    /// # Errors
    /// The user is not visible to the caller, another one has the address, or the caller does not hold the roles'
    /// scopes.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: &str,
        changes: UserChanges,
        origin: Arc<Origin>,
    ) -> Result<User, ServiceError> {
        let password_hash = match &changes.password {
            Patch::Keep => Ok(Patch::Keep),
            Patch::Clear => Ok(Patch::Clear),
            Patch::Set(password) => self.passwords.hash(password).await.map(Patch::Set),
        };
        self.change_user(caller, id, Action::UserUpdate, origin, move |connection, caller, user| {
            if let Some(email) = changes.email {
                user.email = email;
            }
            user.name = changes.name.apply(user.name.take());
            user.password_hash = password_hash?.apply(user.password_hash.take());
            if let Some(role) = changes.role {
                require_above(connection, caller, &role)?;
                user.role = role;
            }
            Ok(())
        })
        .await
    }

    /// Enables or disables a user. Credentials of a disabled user are refused.
    ///
    /// # Errors
    /// The user is not visible to the caller, or the caller does not hold the scopes of the user's role.
    pub async fn set_user_active(
        &self,
        caller: &Caller,
        id: &str,
        is_active: bool,
        origin: Arc<Origin>,
    ) -> Result<User, ServiceError> {
        let action = if is_active { Action::UserEnable } else { Action::UserDisable };
        self.change_user(caller, id, action, origin, move |_, _, user| {
            user.is_active = is_active;
            Ok(())
        })
        .await
    }

    async fn change_user(
        &self,
        caller: &Caller,
        id: &str,
        action: Action,
        origin: Arc<Origin>,
        change: impl FnOnce(&mut AnyConnection, &Caller, &mut User) -> Result<(), ServiceError> + Send + 'static,
    ) -> Result<User, ServiceError> {
        let context = self.shared_context(caller, action, id, origin).await?;
        let parsed = id.parse::<UserId>().ok();
        let result = self
            .recorder
            .change(caller, context, Disposition::Ok, move |transaction, _, caller, now| {
                let mut user = find(transaction.connection, caller, parsed.as_ref())?;
                require_above(transaction.connection, caller, &user.role)?;
                change(transaction.connection, caller, &mut user)?;
                user.updated_at = now;
                users::update(transaction.connection, &user).map_err(taken(Conflict::EmailTaken))?;
                transaction.announce(now, ChangeKind::User, user.id.as_str())?;
                Ok(user)
            })
            .await;
        self.owners.drop_entry(id);
        result
    }

    /// Gets a user by id.
    ///
    /// # Errors
    /// The user is not visible to the caller.
    pub async fn user(&self, caller: &Caller, id: &str, origin: Arc<Origin>) -> Result<User, ServiceError> {
        let context = AuditContext::of(caller, Action::UserRead, origin).on(id);
        let parsed = id.parse::<UserId>().ok();
        self.recorder.read(caller, &context, move |connection, caller| find(connection, caller, parsed.as_ref())).await
    }

    /// Lists users, newest first.
    ///
    /// # Errors
    /// The audit event cannot be stored.
    pub async fn list_users(
        &self,
        caller: &Caller,
        filter: UserFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<User>, ServiceError> {
        let context = AuditContext::of(caller, Action::UserList, origin);
        self.recorder
            .read(caller, &context, move |connection, caller| {
                let is_tied = !caller.customers().is_empty();
                if is_tied { Ok(vec![]) } else { Ok(users::list(connection, &filter, limit)?) }
            })
            .await
    }
}
