//! `/api/v1/roles`.

use crate::domain::role::RoleName;
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::named::Named;
use crate::http::permission::{RolesRead, RolesWrite};
use crate::http::response::{ApiResult, Created, NoContent, Paged, Shown, Updated};
use crate::http::said::Query;
use crate::view::page::{Everything, List, Page};
use crate::view::role::{RoleCreate, RoleUpdate, RoleView};

pub async fn list(
    call: Call<RolesRead, Query<List<Everything, RoleName>>>,
    state: SharedState,
) -> ApiResult<Paged<RoleView>> {
    let Query(List { limit, cursor, .. }) = call.input;
    let mut roles = state.services.directory.list_roles(&call.caller, call.origin).await?;
    roles.retain(|role| cursor.as_ref().is_none_or(|cursor| role.name > *cursor));
    Shown::of(&Page::new(limit, roles.iter().map(|role| (role.name.to_string(), role.into()))))
}

pub async fn create(
    call: Call<RolesWrite, RoleCreate, Repeatable>,
    state: SharedState,
) -> ApiResult<Created<RoleView>> {
    let directory = &state.services.directory;
    let role = directory.create_role(&call.caller, call.input.into(), call.repeat, call.origin).await?;
    Created::of(&RoleView::from(&role))
}

pub async fn show(call: Call<RolesRead>, name: Named<RoleName>, state: SharedState) -> ApiResult<Shown<RoleView>> {
    let role = state.services.directory.role(&call.caller, &name, call.origin).await?;
    Shown::of(&RoleView::from(&role))
}

pub async fn update(
    call: Call<RolesWrite, RoleUpdate>,
    name: Named<RoleName>,
    state: SharedState,
) -> ApiResult<Updated<RoleView>> {
    let directory = &state.services.directory;
    let role = directory.update_role(&call.caller, &name, call.input.into(), call.origin).await?;
    Updated::of(&RoleView::from(&role))
}

pub async fn delete(call: Call<RolesWrite>, name: Named<RoleName>, state: SharedState) -> ApiResult<NoContent> {
    state.services.directory.delete_role(&call.caller, &name, call.origin).await?;
    Ok(NoContent)
}
