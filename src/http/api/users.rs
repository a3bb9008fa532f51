//! `/api/v1/users`. A password is taken, and never shown.

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::fields::Fields;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{Permitted, UsersRead, UsersWrite};
use super::repeated::{Begun, begin};
use super::schema::{self, Time};
use super::{Answer, fields, private_json};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::http::SharedState;
use crate::http::error::Conflict;
use crate::service::idempotency::Rendered;
use crate::service::input::Patch;
use crate::service::users::UserInput;
use crate::store::users::UserFilter;

/// A user as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserView<'u> {
    #[schema(examples("usr_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"))]
    id: &'u str,
    /// In lower case.
    email: &'u str,
    name: &'u str,
    /// The name of the user's role.
    role: &'u str,
    #[schema(value_type = schema::UserStatus)]
    status: &'static str,
    /// Whether the user can sign in.
    has_password: bool,
    created_at: Time,
    updated_at: Time,
}

/// A user as it is shown.
pub fn view(user: &User) -> Value {
    json!(UserView {
        id: user.id.as_str(),
        email: &user.email,
        name: &user.name,
        role: &user.role,
        status: if user.is_active { "active" } else { "inactive" },
        has_password: user.password_hash.is_some(),
        created_at: user.created_at.into(),
        updated_at: user.updated_at.into(),
    })
}

/// A user to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
struct NewUser {
    #[schema(examples("ann@example.com"))]
    email: String,
    /// The name of a role.
    #[schema(examples("developer"))]
    role: String,
    name: Option<String>,
    /// Without one, the user cannot sign in.
    #[schema(format = Password, min_length = 8)]
    password: Option<String>,
}

/// What is to be changed; what is not named stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
struct UserChange {
    email: Option<String>,
    /// The name of a role: from then on what the user's credentials may at most do.
    role: Option<String>,
    name: Option<String>,
    /// Null takes the password away.
    #[schema(format = Password, min_length = 8)]
    password: Option<String>,
}

fn input(fields: &mut Fields) -> UserInput {
    UserInput {
        email: fields.string("email"),
        role: fields.string("role"),
        name: fields.string("name"),
        password: match fields.string("password") {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(password) => Patch::Set(Zeroizing::new(password)),
        },
    }
}

/// List users
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    operation_id = "list_users",
    tag = "Users and roles",
    params(
        ("email" = Option<String>, Query, description = "Only the one with this address."),
        ("role" = Option<String>, Query, description = "Only those with this role."),
        PageParameters,
    ),
    responses((status = 200, description = "A page of users.", body = Page<UserView<'_>>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<UsersRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let filter = UserFilter {
        email: query.get::<String>("email").map(|email| email.to_lowercase()),
        role: query.get::<String>("role"),
        before: query.get::<UserId>("cursor"),
    };
    query.finish()?;
    let rows = state.services.list_users(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |user| user.id.to_string(), view))
}

/// Create a user
///
/// The caller must hold what the role allows. For credentials of production, as everything that all environments share.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    operation_id = "create_user",
    tag = "Users and roles",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within a day the first answer comes again.")),
    request_body = NewUser,
    responses((status = 201, description = "The user.", body = UserView<'_>), Conflict),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<UsersWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&User, Timestamp) -> Rendered = |user, _| Rendered::plain(201, view(user).to_string());
    let (mut fields, repeat) = match begin(&request, payload, &state, &permitted, "user.create", render).await? {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let input = input(&mut fields);
    fields.finish()?;
    let user = state.services.create_user(&permitted.caller, input, repeat, permitted.origin).await?;
    Ok(private_json(201, &view(&user)))
}

/// Show a user
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    operation_id = "show_user",
    tag = "Users and roles",
    params(("id" = String, Path, description = "The user's id.", example = "usr_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The user.", body = UserView<'_>)),
)]
pub(in crate::http) async fn show(id: Path<String>, permitted: Permitted<UsersRead>, state: SharedState) -> Answer {
    Ok(private_json(200, &view(&state.services.user(&permitted.caller, &id, permitted.origin).await?)))
}

/// Change a user
///
/// The caller must hold what the user's role allows, before and after.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    operation_id = "update_user",
    tag = "Users and roles",
    params(("id" = String, Path, description = "The user's id.", example = "usr_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    request_body = UserChange,
    responses((status = 200, description = "The user.", body = UserView<'_>), Conflict),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<UsersWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let input = input(&mut fields);
    fields.finish()?;
    let user = state.services.update_user(&permitted.caller, &id, input, permitted.origin).await?;
    Ok(private_json(200, &view(&user)))
}

/// Deactivate a user
///
/// The user's credentials stop at once, until the user is active again or they are given to another owner.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/disable",
    operation_id = "disable_user",
    tag = "Users and roles",
    params(("id" = String, Path, description = "The user's id.", example = "usr_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The user.", body = UserView<'_>)),
)]
pub(in crate::http) async fn disable(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<UsersWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    set_active(&id, permitted, &state, false).await
}

/// Activate a user
///
/// The user's credentials are accepted again.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/enable",
    operation_id = "enable_user",
    tag = "Users and roles",
    params(("id" = String, Path, description = "The user's id.", example = "usr_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The user.", body = UserView<'_>)),
)]
pub(in crate::http) async fn enable(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<UsersWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    set_active(&id, permitted, &state, true).await
}

async fn set_active(id: &str, permitted: Permitted<UsersWrite>, state: &SharedState, is_active: bool) -> Answer {
    let user = state.services.set_user_active(&permitted.caller, id, is_active, permitted.origin).await?;
    Ok(private_json(200, &view(&user)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<NewUser>(|fields| drop(input(fields)));
        assert_described::<UserChange>(|fields| drop(input(fields)));
    }
}
