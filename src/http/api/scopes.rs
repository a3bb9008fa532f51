//! `/api/v1/scopes`: the registry of what scopes mean.

use crate::domain::scope::Scope;
use crate::domain::text::Description;
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::named::Named;
use crate::http::permission::{ScopesRead, ScopesWrite};
use crate::http::response::{ApiResult, Created, NoContent, Paged, Shown, Updated};
use crate::http::said::Query;
use crate::view::page::{Everything, List, Page};
use crate::view::scope::{ScopeCreate, ScopeUpdate, ScopeView};

pub async fn list(
    call: Call<ScopesRead, Query<List<Everything, Scope>>>,
    state: SharedState,
) -> ApiResult<Paged<ScopeView>> {
    let Query(List { limit, cursor, .. }) = call.input;
    let rows = state.services.directory.list_scopes(&call.caller, cursor, limit + 1, call.origin).await?;
    Shown::of(&Page::new(limit, rows.iter().map(|row| (row.name.to_string(), row.into()))))
}

pub async fn create(
    call: Call<ScopesWrite, ScopeCreate, Repeatable>,
    state: SharedState,
) -> ApiResult<Created<ScopeView>> {
    let directory = &state.services.directory;
    let entry = directory.create_scope(&call.caller, call.input.into(), call.repeat, call.origin).await?;
    Created::of(&ScopeView::from(&entry))
}

pub async fn show(call: Call<ScopesRead>, name: Named<Scope>, state: SharedState) -> ApiResult<Shown<ScopeView>> {
    let entry = state.services.directory.scope(&call.caller, &name, call.origin).await?;
    Shown::of(&ScopeView::from(&entry))
}

pub async fn update(
    call: Call<ScopesWrite, ScopeUpdate>,
    name: Named<Scope>,
    state: SharedState,
) -> ApiResult<Updated<ScopeView>> {
    let description = call.input.description.or_cleared(Description::default());
    let entry = state.services.directory.update_scope(&call.caller, &name, description, call.origin).await?;
    Updated::of(&ScopeView::from(&entry))
}

pub async fn delete(call: Call<ScopesWrite>, name: Named<Scope>, state: SharedState) -> ApiResult<NoContent> {
    state.services.directory.delete_scope(&call.caller, &name, call.origin).await?;
    Ok(NoContent)
}
