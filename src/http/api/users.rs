//! `/api/v1/users`. A password is read, and never shown.

use crate::domain::ids::UserId;
use crate::domain::user::UserFilter;
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::named::Named;
use crate::http::permission::{UsersRead, UsersWrite};
use crate::http::response::{ApiResult, Created, Paged, Shown, Updated};
use crate::http::said::Query;
use crate::view::page::{List, Page};
use crate::view::user::{UserCreate, UserFilters, UserUpdate, UserView};

pub async fn list(
    call: Call<UsersRead, Query<List<UserFilters, UserId>>>,
    state: SharedState,
) -> ApiResult<Paged<UserView>> {
    let Query(List { filters, limit, cursor, .. }) = call.input;
    let filter = UserFilter { before: cursor, ..filters.into() };
    let rows = state.services.directory.list_users(&call.caller, filter, limit + 1, call.origin).await?;
    Shown::of(&Page::new(limit, rows.iter().map(|row| (row.id.to_string(), row.into()))))
}

pub async fn create(
    call: Call<UsersWrite, UserCreate, Repeatable>,
    state: SharedState,
) -> ApiResult<Created<UserView>> {
    let directory = &state.services.directory;
    let user = directory.create_user(&call.caller, call.input.into(), call.repeat, call.origin).await?;
    Created::of(&UserView::from(&user))
}

pub async fn show(call: Call<UsersRead>, id: Named<UserId>, state: SharedState) -> ApiResult<Shown<UserView>> {
    let user = state.services.directory.user(&call.caller, &id, call.origin).await?;
    Shown::of(&UserView::from(&user))
}

pub async fn update(
    call: Call<UsersWrite, UserUpdate>,
    id: Named<UserId>,
    state: SharedState,
) -> ApiResult<Updated<UserView>> {
    let directory = &state.services.directory;
    let user = directory.update_user(&call.caller, &id, call.input.into(), call.origin).await?;
    Updated::of(&UserView::from(&user))
}

pub async fn disable(call: Call<UsersWrite>, id: Named<UserId>, state: SharedState) -> ApiResult<Updated<UserView>> {
    set_active(call, &id, &state, false).await
}

pub async fn enable(call: Call<UsersWrite>, id: Named<UserId>, state: SharedState) -> ApiResult<Updated<UserView>> {
    set_active(call, &id, &state, true).await
}

async fn set_active(
    call: Call<UsersWrite>,
    id: &str,
    state: &SharedState,
    is_active: bool,
) -> ApiResult<Updated<UserView>> {
    let user = state.services.directory.set_user_active(&call.caller, id, is_active, call.origin).await?;
    Updated::of(&UserView::from(&user))
}
