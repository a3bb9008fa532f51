//! Users. Who changes one must hold what the user's role allows, as it was and as it is afterwards: else it could take over
//! or stop someone above it.

use std::sync::Arc;

use super::Services;
use super::error::{FieldError, ServiceError};
use super::idempotency::Repeat;
use super::input::{Patch, checked};
use super::trail::Trail;
use crate::clock;
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::ids::UserId;
use crate::domain::text;
use crate::domain::user::{self, User};
use crate::store::change_log::Kind;
use crate::store::users::{self, UserFilter};
use crate::store::{AnyConnection, StoreError, roles};
use zeroize::Zeroizing;

const NO_USER: ServiceError = ServiceError::NotFound("user");
const TAKEN: ServiceError = ServiceError::Conflict { code: "email_taken", message: "another user has this address" };

/// The fields of a user as they come from outside.
#[derive(Clone, Default)]
pub struct UserInput {
    /// The address to sign in with.
    pub email: Patch<String>,
    /// What people call the user.
    pub name: Patch<String>,
    /// The name of a role.
    pub role: Patch<String>,
    /// The password; cleared, the user cannot sign in.
    pub password: Patch<Zeroizing<String>>,
}

impl std::fmt::Debug for UserInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserInput")
    }
}

struct UserPatch {
    email: Option<String>,
    name: Option<String>,
    role: Option<String>,
    password: Patch<Zeroizing<String>>,
    password_hash: Patch<String>,
}

impl UserInput {
    fn read(self, is_new: bool) -> Result<UserPatch, ServiceError> {
        let mut wrong = Vec::new();
        if is_new {
            let missing = [("email", &self.email), ("role", &self.role)];
            for (field, _) in missing.into_iter().filter(|(_, value)| **value == Patch::Keep) {
                wrong.push(FieldError::new(field, "is required"));
            }
        }
        let patch = UserPatch {
            email: self
                .email
                .read("email", &mut wrong, |text| checked(&text, user::email))
                .required("email", &mut wrong),
            name: self
                .name
                .read("name", &mut wrong, |text| if text.is_empty() { Ok(text) } else { checked(&text, text::name) })
                .or_cleared(String::new()),
            role: self.role.required("role", &mut wrong),
            password: self.password.read("password", &mut wrong, |text| checked(&text, user::password).map(|()| text)),
            password_hash: Patch::Keep,
        };
        if wrong.is_empty() { Ok(patch) } else { Err(ServiceError::Invalid(wrong)) }
    }
}

fn find(
    connection: &mut AnyConnection,
    caller: &Caller,
    id: Result<UserId, &'static str>,
) -> Result<User, ServiceError> {
    let found = users::find(connection, &id.map_err(|_| NO_USER)?)?;
    // Users are nobody's customer's.
    found.filter(|_| caller.customers().is_empty()).ok_or(NO_USER)
}

/// The caller must hold what the role allows.
fn require_above(connection: &mut AnyConnection, caller: &Caller, role: &str) -> Result<(), ServiceError> {
    match roles::find(connection, role)? {
        None => Err(ServiceError::invalid("role", "names no role")),
        Some(role) if caller.holds_role(&role.scopes) => Ok(()),
        Some(_) => Err(ServiceError::ScopeExceedsCaller),
    }
}

fn taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Duplicate => TAKEN,
        other => other.into(),
    }
}

impl Services {
    /// Reads the input; Argon2 runs here, before any transaction is open.
    async fn prepared(&self, input: UserInput, is_new: bool) -> Result<UserPatch, ServiceError> {
        let mut patch = input.read(is_new)?;
        patch.password_hash = match std::mem::take(&mut patch.password) {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(password) => Patch::Set(self.passwords.hash(&password).await?),
        };
        Ok(patch)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// What is wrong with the input, another user has the address, or the caller does not hold what the role allows.
    pub async fn create_user(
        &self,
        caller: &Caller,
        input: UserInput,
        repeat: Repeat<User>,
        origin: Arc<Origin>,
    ) -> Result<User, ServiceError> {
        let id: UserId = random::id(clock::now())?;
        let trail = self.shared_trail(caller, "user.create", id.as_str(), origin).await?;
        let (patch, own, vault) = (self.prepared(input, true).await, caller.clone(), Arc::clone(&self.vault));
        self.change(trail, 201, move |transaction, _, now| {
            let UserPatch { email: Some(email), role: Some(role), name, password_hash, .. } = patch? else {
                return Err(ServiceError::Internal("a new user has no role".to_owned()));
            };
            require_above(transaction.connection, &own, &role)?;
            let user = User {
                id,
                email,
                name: name.unwrap_or_default(),
                role,
                is_active: true,
                password_hash: password_hash.apply(None),
                created_at: now,
                updated_at: now,
            };
            users::insert(transaction.connection, &user).map_err(taken)?;
            if let Some((request, render)) = repeat {
                request.keep(transaction, &vault, now, &render(&user, now))?;
            }
            Ok(user)
        })
        .await
    }

    /// Changes a user. Another role is the ceiling of the user's credentials from then on.
    ///
    /// # Errors
    /// No such user, what is wrong with the input, another user has the address, or the caller does not hold what the roles
    /// allow.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: &str,
        input: UserInput,
        origin: Arc<Origin>,
    ) -> Result<User, ServiceError> {
        let patch = self.prepared(input, false).await;
        let own = caller.clone();
        self.change_user(caller, id, "user.update", origin, move |connection, user| {
            let patch = patch?;
            user.email = patch.email.unwrap_or(std::mem::take(&mut user.email));
            user.name = patch.name.unwrap_or(std::mem::take(&mut user.name));
            user.password_hash = patch.password_hash.apply(user.password_hash.take());
            if let Some(role) = patch.role {
                require_above(connection, &own, &role)?;
                user.role = role;
            }
            Ok(())
        })
        .await
    }

    /// Lets a user's credentials be accepted, or not.
    ///
    /// # Errors
    /// No such user, or the caller does not hold what the user's role allows.
    pub async fn set_user_active(
        &self,
        caller: &Caller,
        id: &str,
        is_active: bool,
        origin: Arc<Origin>,
    ) -> Result<User, ServiceError> {
        let action = if is_active { "user.enable" } else { "user.disable" };
        self.change_user(caller, id, action, origin, move |_, user| {
            user.is_active = is_active;
            Ok(())
        })
        .await
    }

    async fn change_user(
        &self,
        caller: &Caller,
        id: &str,
        action: &'static str,
        origin: Arc<Origin>,
        change: impl FnOnce(&mut AnyConnection, &mut User) -> Result<(), ServiceError> + Send + 'static,
    ) -> Result<User, ServiceError> {
        let trail = self.shared_trail(caller, action, id, origin).await?;
        let (own, parsed) = (caller.clone(), id.parse::<UserId>());
        let result = self
            .change(trail, 200, move |transaction, _, now| {
                let mut user = find(transaction.connection, &own, parsed)?;
                require_above(transaction.connection, &own, &user.role)?;
                change(transaction.connection, &mut user)?;
                user.updated_at = now;
                users::update(transaction.connection, &user).map_err(taken)?;
                transaction.announce(now, Kind::User, user.id.as_str())?;
                Ok(user)
            })
            .await;
        self.owners.forget(id);
        result
    }

    /// The user `id`.
    ///
    /// # Errors
    /// No such user, as far as the caller sees.
    pub async fn user(&self, caller: &Caller, id: &str, origin: Arc<Origin>) -> Result<User, ServiceError> {
        let mut trail = Trail::of(caller, "user.read", origin);
        trail.target = Some(text::recordable(id, 64).into());
        let (own, parsed) = (caller.clone(), id.parse::<UserId>());
        self.reading(trail, move |connection| find(connection, &own, parsed)).await
    }

    /// Users, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_users(
        &self,
        caller: &Caller,
        filter: UserFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<User>, ServiceError> {
        let trail = Trail::of(caller, "user.list", origin);
        let is_tied = !caller.customers().is_empty();
        self.reading(
            trail,
            move |connection| {
                if is_tied { Ok(vec![]) } else { Ok(users::list(connection, &filter, limit)?) }
            },
        )
        .await
    }
}
