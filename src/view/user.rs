//! Users. A password is read, and never shown.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::closed::UserStatus;
use super::field::NewPassword;
use super::input::{Changed, Field, Optional, Patched, Required, input};
use super::text::text;
use crate::domain::ids::UserId;
use crate::domain::patch::Patch;
use crate::domain::role::RoleName;
use crate::domain::secret_text::SecretText;
use crate::domain::text::{Description, Name};
use crate::domain::time::Timestamp;
use crate::domain::user::{EmailAddress, NewUser, User, UserChanges, UserFilter};

/// A person with one role, who may own credentials.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    id: UserId,
    /// In lower case.
    email: EmailAddress,
    /// Empty if it is not known.
    #[schema(max_length = 200)]
    name: String,
    /// The name of the user's role.
    role: RoleName,
    status: UserStatus,
    /// Whether the user can sign in.
    has_password: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            email: user.email.clone(),
            name: user.name.as_ref().map(ToString::to_string).unwrap_or_default(),
            role: user.role.clone(),
            status: if user.is_active { UserStatus::Active } else { UserStatus::Inactive },
            has_password: user.password_hash.is_some(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A name, or an empty string for none.
pub enum PersonName {}

impl Field for PersonName {
    type Value = Option<Name>;

    fn schema() -> RefOr<Schema> {
        match <Description as Field>::schema() {
            RefOr::T(Schema::Object(mut object)) => {
                object.max_length = Some(200);
                object.examples = vec!["Ann Example".into()];
                Schema::Object(object).into()
            }
            other => other,
        }
    }

    fn read(value: Value) -> Result<Option<Name>, String> {
        let text = text(value)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(str::to_owned) }
    }
}

input! {
    /// A user to create.
    pub struct UserCreate {
        /// The address to sign in with. No two users have the same.
        email: Required<EmailAddress>,
        /// The name of a role.
        role: Required<RoleName>,
        /// What people call the user.
        name: Optional<PersonName>,
        /// Without a password the user cannot sign in. At least 8 characters, at most 1024 bytes.
        password: Optional<NewPassword>,
    }

    /// Settings of a user to change. A setting that is absent stays as it is.
    pub struct UserUpdate {
        /// The address to sign in with. No two users have the same.
        email: Changed<EmailAddress>,
        /// The name of a role: from then on the limit of what the user's credentials may do.
        role: Changed<RoleName>,
        /// What people call the user. Null removes it.
        name: Patched<PersonName>,
        /// At least 8 characters, at most 1024 bytes. Null removes the password.
        password: Patched<NewPassword>,
    }

    /// Which users to list.
    pub struct UserFilters {
        /// Only the user with this address.
        email: Optional<EmailAddress>,
        /// Only users with this role.
        role: Optional<RoleName>,
    }
}

impl From<UserFilters> for UserFilter {
    fn from(UserFilters { email, role }: UserFilters) -> Self {
        Self { email: email.map(|email| email.to_string()), role: role.map(|role| role.to_string()), before: None }
    }
}

impl From<UserCreate> for NewUser {
    fn from(input: UserCreate) -> Self {
        Self {
            email: input.email,
            name: input.name.flatten(),
            role: input.role,
            password: input.password.map(SecretText::into_inner),
        }
    }
}

impl From<UserUpdate> for UserChanges {
    fn from(input: UserUpdate) -> Self {
        Self {
            email: input.email,
            name: match input.name {
                Patch::Keep => Patch::Keep,
                Patch::Clear | Patch::Set(None) => Patch::Clear,
                Patch::Set(Some(name)) => Patch::Set(name),
            },
            role: input.role,
            password: match input.password {
                Patch::Keep => Patch::Keep,
                Patch::Clear => Patch::Clear,
                Patch::Set(password) => Patch::Set(password.into_inner()),
            },
        }
    }
}
