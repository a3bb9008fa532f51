//! `/api/v1/scopes`: the registry of what scopes mean.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::clients::private_json;
use super::fields::{Fields, read_body};
use super::page::{Query, page};
use super::permitted::{Permitted, ScopesRead, ScopesWrite};
use super::repeated::{Repeated, repeated, replayed};
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::http::{SharedState, error};
use crate::service::clients::Patch;
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
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
pub async fn list(request: HttpRequest, permitted: Permitted<ScopesRead>, state: SharedState) -> HttpResponse {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let after = query.get::<Scope>("cursor");
    if let Err(error) = query.finish() {
        return permitted.refuse(&state, "scope.list", None, &error).await;
    }
    match state.services.list_scopes(&permitted.caller, after, limit + 1, permitted.origin).await {
        Ok(rows) => page(rows, limit, |entry| entry.name.to_string(), view),
        Err(error) => error::service(&error),
    }
}

/// `POST /api/v1/scopes`: `name`, `description`.
pub async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> HttpResponse {
    let render: fn(&ScopeEntry, Timestamp) -> Rendered = |entry, _| Rendered::plain(201, view(entry).to_string());
    let read = async {
        let body = read_body(&request, payload, &state).await?;
        let mut fields = Fields::parse(&body)?;
        let repeat = repeated(&request, &body, &state, &permitted, render).await?;
        let (name, description) = (fields.string("name"), fields.string("description"));
        fields.finish()?;
        let name = name.apply(None).ok_or_else(|| ServiceError::invalid("name", "is required"))?;
        Ok((repeat, name, description.apply(None).unwrap_or_default()))
    };
    let (repeat, name, description) = match read.await {
        Ok((Repeated::New(repeat), name, description)) => (repeat, name, description),
        Ok((Repeated::Before(replay), ..)) => return replayed(&state, &permitted, "scope.create", replay).await,
        Err(error) => return permitted.refuse(&state, "scope.create", None, &error).await,
    };
    let Permitted { caller, origin, .. } = permitted;
    answer(201, state.services.create_scope(&caller, &name, &description, repeat, origin).await)
}

/// `GET /api/v1/scopes/{name}`.
pub async fn show(name: Path<String>, permitted: Permitted<ScopesRead>, state: SharedState) -> HttpResponse {
    answer(200, state.services.scope(&permitted.caller, &name, permitted.origin).await)
}

/// `PATCH /api/v1/scopes/{name}`: `description`.
pub async fn update(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    permitted: Permitted<ScopesWrite>,
    state: SharedState,
) -> HttpResponse {
    let read = async {
        let mut fields = Fields::parse(&read_body(&request, payload, &state).await?)?;
        let description = match fields.string("description") {
            Patch::Keep => None,
            Patch::Clear => Some(String::new()),
            Patch::Set(text) => Some(text),
        };
        fields.finish().map(|()| description)
    };
    let description = match read.await {
        Ok(read) => read,
        Err(error) => return permitted.refuse(&state, "scope.update", Some(&name), &error).await,
    };
    let services = &state.services;
    answer(200, services.update_scope(&permitted.caller, &name, description.as_deref(), permitted.origin).await)
}

/// `DELETE /api/v1/scopes/{name}`: 204.
pub async fn delete(name: Path<String>, permitted: Permitted<ScopesWrite>, state: SharedState) -> HttpResponse {
    match state.services.delete_scope(&permitted.caller, &name, permitted.origin).await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => error::service(&error),
    }
}

fn answer(status: u16, entry: Result<ScopeEntry, ServiceError>) -> HttpResponse {
    match entry {
        Ok(entry) => private_json(status, view(&entry).to_string()),
        Err(error) => error::service(&error),
    }
}
