//! `/api/v1/roles`.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::fields::Fields;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{Permitted, RolesRead, RolesWrite};
use super::repeated::{Begun, begin};
use super::schema::Time;
use super::{Answer, fields, private_json};
use crate::domain::role::Role;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::http::SharedState;
use crate::http::error::{ApiError, Conflict};
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::service::roles::RoleInput;

/// A role as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
struct RoleView<'r> {
    /// Its name, which is its id.
    #[schema(examples("developer"))]
    name: &'r str,
    description: &'r str,
    /// What credentials of its users may at most carry, management permissions among them. `*:*` stands for every business
    /// scope that names a resource.
    scopes: Vec<&'r str>,
    /// Whether every installation has it.
    built_in: bool,
    /// Null for a built-in role as it comes.
    #[schema(required)]
    created_at: Option<Time>,
    #[schema(required)]
    updated_at: Option<Time>,
}

/// A role as it is shown.
pub fn view(role: &Role) -> Value {
    json!(RoleView {
        name: &role.name,
        description: &role.description,
        scopes: role.scopes.iter().map(Scope::as_str).collect(),
        built_in: role.is_built_in(),
        created_at: role.created_at.map(Time::from),
        updated_at: role.updated_at.map(Time::from),
    })
}

/// A role to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `new_role` reads")]
struct NewRole {
    /// 1 to 60 of `a-z`, `0-9`, `-` and `_`, the first a letter.
    #[schema(max_length = 60, examples("support"))]
    name: String,
    description: Option<String>,
    /// What credentials of its users may at most carry.
    #[schema(max_items = 100, examples(json!(["orders:read"])))]
    scopes: Vec<String>,
}

/// What is to be changed; what is not named stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
struct RoleChange {
    description: Option<String>,
    /// All of them: those that are not named are taken away.
    #[schema(max_items = 100)]
    scopes: Option<Vec<String>>,
}

fn input(fields: &mut Fields) -> RoleInput {
    RoleInput { description: fields.string("description"), scopes: fields.strings("scopes") }
}

fn new_role(fields: &mut Fields) -> (Option<String>, RoleInput) {
    (fields.string("name").apply(None), input(fields))
}

/// List roles
///
/// By name. There are few: pages are cut from the whole.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    operation_id = "list_roles",
    tag = "Users and roles",
    params(PageParameters),
    responses((status = 200, description = "A page of roles.", body = Page<RoleView<'_>>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<RolesRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let after = query.get::<String>("cursor");
    query.finish()?;
    let mut roles = state.services.list_roles(&permitted.caller, permitted.origin).await?;
    roles.retain(|role| after.as_ref().is_none_or(|after| role.name > *after));
    Ok(page(roles, limit, |role| role.name.clone(), view))
}

/// Create a role
///
/// The caller must hold what it allows. For credentials of production, as everything that all environments share.
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    operation_id = "create_role",
    tag = "Users and roles",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within a day the first answer comes again.")),
    request_body = NewRole,
    responses((status = 201, description = "The role.", body = RoleView<'_>), Conflict),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<RolesWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&Role, Timestamp) -> Rendered = |role, _| Rendered::plain(201, view(role).to_string());
    let (mut fields, repeat) = match begin(&request, payload, &state, &permitted, "role.create", render).await? {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let (name, input) = new_role(&mut fields);
    fields.finish()?;
    let name = name.ok_or_else(|| ApiError::Input(ServiceError::invalid("name", "is required")))?;
    let role = state.services.create_role(&permitted.caller, &name, input, repeat, permitted.origin).await?;
    Ok(private_json(201, &view(&role)))
}

/// Show a role
#[utoipa::path(
    get,
    path = "/api/v1/roles/{name}",
    operation_id = "show_role",
    tag = "Users and roles",
    params(("name" = String, Path, description = "The role's name.", example = "developer")),
    responses((status = 200, description = "The role.", body = RoleView<'_>)),
)]
pub(in crate::http) async fn show(name: Path<String>, permitted: Permitted<RolesRead>, state: SharedState) -> Answer {
    Ok(private_json(200, &view(&state.services.role(&permitted.caller, &name, permitted.origin).await?)))
}

/// Change a role
///
/// In force for the next request of every credential of its users. `owner` cannot be changed.
#[utoipa::path(
    patch,
    path = "/api/v1/roles/{name}",
    operation_id = "update_role",
    tag = "Users and roles",
    params(("name" = String, Path, description = "The role's name.", example = "developer")),
    request_body = RoleChange,
    responses((status = 200, description = "The role.", body = RoleView<'_>), Conflict),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    permitted: Permitted<RolesWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let input = input(&mut fields);
    fields.finish()?;
    let role = state.services.update_role(&permitted.caller, &name, input, permitted.origin).await?;
    Ok(private_json(200, &view(&role)))
}

/// Remove a role
///
/// One that no user has, and that is not built in.
#[utoipa::path(
    delete,
    path = "/api/v1/roles/{name}",
    operation_id = "delete_role",
    tag = "Users and roles",
    params(("name" = String, Path, description = "The role's name.", example = "support")),
    responses((status = 204, description = "It is gone."), Conflict),
)]
pub(in crate::http) async fn delete(
    name: Path<String>,
    permitted: Permitted<RolesWrite>,
    state: SharedState,
) -> Answer {
    state.services.delete_role(&permitted.caller, &name, permitted.origin).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<NewRole>(|fields| drop(new_role(fields)));
        assert_described::<RoleChange>(|fields| drop(input(fields)));
    }
}
