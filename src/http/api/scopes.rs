//! `/api/v1/scopes`: the registry of what scopes mean.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::clients::private_json;
use super::fields::{Fields, read_body};
use super::page::{Query, page};
use super::permitted::{Permitted, ScopesRead, ScopesWrite};
use crate::domain::scope::Scope;
use crate::http::{SharedState, error};
use crate::service::clients::Patch;
use crate::service::error::ServiceError;
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
    let found = match query.finish() {
        Ok(()) => state.services.list_scopes(&permitted.caller, after, limit + 1, permitted.origin).await,
        Err(error) => Err(error),
    };
    match found {
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
    let mut fields = match read_fields(&request, payload, &state).await {
        Ok(fields) => fields,
        Err(refusal) => return refusal,
    };
    let (name, description) = (fields.string("name"), fields.string("description"));
    let created = match (fields.finish(), name) {
        (Err(error), _) => Err(error),
        (Ok(()), Patch::Set(name)) => {
            let description = description.apply(None).unwrap_or_default();
            state.services.create_scope(&permitted.caller, &name, &description, permitted.origin).await
        }
        (Ok(()), _) => Err(ServiceError::invalid("name", "is required")),
    };
    answer(201, created)
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
    let mut fields = match read_fields(&request, payload, &state).await {
        Ok(fields) => fields,
        Err(refusal) => return refusal,
    };
    let description = match fields.string("description") {
        Patch::Keep => None,
        Patch::Clear => Some(String::new()),
        Patch::Set(text) => Some(text),
    };
    let updated = match fields.finish() {
        Ok(()) => state.services.update_scope(&permitted.caller, &name, description.as_deref(), permitted.origin).await,
        Err(error) => Err(error),
    };
    answer(200, updated)
}

/// `DELETE /api/v1/scopes/{name}`: 204.
pub async fn delete(name: Path<String>, permitted: Permitted<ScopesWrite>, state: SharedState) -> HttpResponse {
    match state.services.delete_scope(&permitted.caller, &name, permitted.origin).await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => error::service(&error),
    }
}

async fn read_fields(request: &HttpRequest, payload: Payload, state: &SharedState) -> Result<Fields, HttpResponse> {
    Fields::parse(&read_body(request, payload, state).await?)
}

fn answer(status: u16, entry: Result<ScopeEntry, ServiceError>) -> HttpResponse {
    match entry {
        Ok(entry) => private_json(status, view(&entry).to_string()),
        Err(error) => error::service(&error),
    }
}
