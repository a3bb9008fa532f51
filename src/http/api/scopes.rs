//! `/api/v1/scopes`: the registry of what scopes mean.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::fields::Fields;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{Permitted, ScopesRead, ScopesWrite};
use super::repeated::{Begun, begin};
use super::schema::Time;
use super::{Answer, fields, private_json};
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::http::SharedState;
use crate::http::error::{ApiError, Conflict};
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::service::input::Patch;
use crate::store::scopes::ScopeEntry;

/// An entry as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
struct ScopeView<'e> {
    /// The scope token.
    #[schema(examples("orders:read"))]
    name: &'e str,
    /// What it means.
    description: &'e str,
    created_at: Time,
    updated_at: Time,
}

/// An entry as it is shown.
pub fn view(entry: &ScopeEntry) -> Value {
    json!(ScopeView {
        name: entry.name.as_str(),
        description: &entry.description,
        created_at: entry.created_at.into(),
        updated_at: entry.updated_at.into(),
    })
}

/// A scope to be entered.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `new_scope` reads")]
struct NewScope {
    /// The scope token: visible ASCII without quotation mark and backslash.
    #[schema(max_length = 128, examples("orders:read"))]
    name: String,
    /// What it means.
    description: Option<String>,
}

/// What is to be said of a scope.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `changed_description` reads")]
struct ScopeChange {
    /// What it means; null is nothing.
    description: Option<String>,
}

fn new_scope(fields: &mut Fields) -> (Option<String>, Option<String>) {
    (fields.string("name").apply(None), fields.string("description").apply(None))
}

fn changed_description(fields: &mut Fields) -> Option<String> {
    match fields.string("description") {
        Patch::Keep => None,
        Patch::Clear => Some(String::new()),
        Patch::Set(text) => Some(text),
    }
}

/// List the scope registry
///
/// Newest first. The registry says what scopes mean; a credential may have scopes that it does not know.
#[utoipa::path(
    get,
    path = "/api/v1/scopes",
    operation_id = "list_scopes",
    tag = "Scopes",
    params(PageParameters),
    responses((status = 200, description = "A page of the registry.", body = Page<ScopeView<'_>>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<ScopesRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let after = query.get::<Scope>("cursor");
    query.finish()?;
    let rows = state.services.list_scopes(&permitted.caller, after, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |entry| entry.name.to_string(), view))
}

/// Enter a scope
///
/// For credentials of production, as everything that all environments share.
#[utoipa::path(
    post,
    path = "/api/v1/scopes",
    operation_id = "create_scope",
    tag = "Scopes",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within a day the first answer comes again.")),
    request_body = NewScope,
    responses((status = 201, description = "The entry.", body = ScopeView<'_>), Conflict),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&ScopeEntry, Timestamp) -> Rendered = |entry, _| Rendered::plain(201, view(entry).to_string());
    let (mut fields, repeat) = match begin(&request, payload, &state, &permitted, "scope.create", render).await? {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let Permitted { caller, origin, .. } = permitted;
    let (name, description) = new_scope(&mut fields);
    fields.finish()?;
    let name = name.ok_or_else(|| ApiError::Input(ServiceError::invalid("name", "is required")))?;
    let description = description.unwrap_or_default();
    let entry = state.services.create_scope(&caller, &name, &description, repeat, origin).await?;
    Ok(private_json(201, &view(&entry)))
}

/// Show a scope
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{name}",
    operation_id = "show_scope",
    tag = "Scopes",
    params(("name" = String, Path, description = "The scope token.", example = "orders:read")),
    responses((status = 200, description = "The entry.", body = ScopeView<'_>)),
)]
pub(in crate::http) async fn show(name: Path<String>, permitted: Permitted<ScopesRead>, state: SharedState) -> Answer {
    Ok(private_json(200, &view(&state.services.scope(&permitted.caller, &name, permitted.origin).await?)))
}

/// Change what is said of a scope
#[utoipa::path(
    patch,
    path = "/api/v1/scopes/{name}",
    operation_id = "update_scope",
    tag = "Scopes",
    params(("name" = String, Path, description = "The scope token.", example = "orders:read")),
    request_body = ScopeChange,
    responses((status = 200, description = "The entry.", body = ScopeView<'_>)),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let description = changed_description(&mut fields);
    fields.finish()?;
    let (caller, services) = (&permitted.caller, &state.services);
    let entry = services.update_scope(caller, &name, description.as_deref(), permitted.origin).await?;
    Ok(private_json(200, &view(&entry)))
}

/// Take a scope out of the registry
///
/// Credentials that hold it keep it: the registry describes, it does not gate.
#[utoipa::path(
    delete,
    path = "/api/v1/scopes/{name}",
    operation_id = "delete_scope",
    tag = "Scopes",
    params(("name" = String, Path, description = "The scope token.", example = "orders:read")),
    responses((status = 204, description = "It is out.")),
)]
pub(in crate::http) async fn delete(
    name: Path<String>,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> Answer {
    state.services.delete_scope(&permitted.caller, &name, permitted.origin).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<NewScope>(|fields| drop(new_scope(fields)));
        assert_described::<ScopeChange>(|fields| drop(changed_description(fields)));
    }
}
