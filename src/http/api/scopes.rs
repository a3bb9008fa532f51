//! `/api/v1/scopes`: the registry of what scopes mean.

use std::sync::Arc;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::page::{Query, page};
use super::permitted::{Permitted, ScopesRead, ScopesWrite};
use super::repeated::{Repeated, repeated};
use super::{Answer, fields, private_json};
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::http::SharedState;
use crate::http::error::ApiError;
use crate::service::clients::Patch;
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::service::trail::Trail;
use crate::store::scopes::ScopeEntry;

/// An entry as it is shown.
pub fn view(entry: &ScopeEntry) -> Value {
    json!({
        "name": entry.name.as_str(),
        "description": entry.description,
        "created_at": entry.created_at.to_string(),
        "updated_at": entry.updated_at.to_string(),
    })
}

/// `GET /api/v1/scopes`.
pub(in crate::http) async fn list(
    request: HttpRequest,
    permitted: Permitted<ScopesRead>,
    state: SharedState,
) -> Answer {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let after = query.get::<Scope>("cursor");
    query.finish()?;
    let rows = state.services.list_scopes(&permitted.caller, after, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |entry| entry.name.to_string(), view))
}

/// `POST /api/v1/scopes`: `name`, `description`.
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&ScopeEntry, Timestamp) -> Rendered = |entry, _| Rendered::plain(201, view(entry).to_string());
    let Permitted { caller, origin, .. } = permitted;
    let (mut fields, body) = fields::read(&request, payload, &state).await?;
    let trail = Trail::of(&caller, "scope.create", Arc::clone(&origin));
    let repeat = match repeated(&request, &body, &state, &caller, trail, render).await? {
        Repeated::Before(replay) => return Ok(private_json(replay.status, &replay.body)),
        Repeated::New(repeat) => repeat,
    };
    let (name, description) = (fields.string("name"), fields.string("description"));
    fields.finish()?;
    let name = name.apply(None).ok_or_else(|| ApiError::Input(ServiceError::invalid("name", "is required")))?;
    let description = description.apply(None).unwrap_or_default();
    let entry = state.services.create_scope(&caller, &name, &description, repeat, origin).await?;
    Ok(private_json(201, &view(&entry)))
}

/// `GET /api/v1/scopes/{name}`.
pub(in crate::http) async fn show(name: Path<String>, permitted: Permitted<ScopesRead>, state: SharedState) -> Answer {
    Ok(private_json(200, &view(&state.services.scope(&permitted.caller, &name, permitted.origin).await?)))
}

/// `PATCH /api/v1/scopes/{name}`: `description`.
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let description = match fields.string("description") {
        Patch::Keep => None,
        Patch::Clear => Some(String::new()),
        Patch::Set(text) => Some(text),
    };
    fields.finish()?;
    let (caller, services) = (&permitted.caller, &state.services);
    let entry = services.update_scope(caller, &name, description.as_deref(), permitted.origin).await?;
    Ok(private_json(200, &view(&entry)))
}

/// `DELETE /api/v1/scopes/{name}`: 204.
pub(in crate::http) async fn delete(
    name: Path<String>,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> Answer {
    state.services.delete_scope(&permitted.caller, &name, permitted.origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
