//! `/api/v1/customers`.

use crate::domain::customer::CustomerFilter;
use crate::domain::ids::CustomerId;
use crate::domain::reference::CustomerReference;
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::named::Named;
use crate::http::permission::{CustomersRead, CustomersWrite};
use crate::http::response::{ApiResult, Created, NoContent, Paged, Shown, Updated};
use crate::http::said::Query;
use crate::view::customer::{CustomerCreate, CustomerFilters, CustomerUpdate, CustomerView};
use crate::view::page::{List, Page};

pub async fn list(
    call: Call<CustomersRead, Query<List<CustomerFilters, CustomerId>>>,
    state: SharedState,
) -> ApiResult<Paged<CustomerView>> {
    let Query(List { filters, limit, cursor, .. }) = call.input;
    let filter = CustomerFilter { before: cursor, ..filters.into() };
    let rows = state.services.directory.list_customers(&call.caller, filter, limit + 1, call.origin).await?;
    Shown::of(&Page::new(limit, rows.iter().map(|row| (row.id.to_string(), row.into()))))
}

pub async fn create(
    call: Call<CustomersWrite, CustomerCreate, Repeatable>,
    state: SharedState,
) -> ApiResult<Created<CustomerView>> {
    let directory = &state.services.directory;
    let customer = directory.create_customer(&call.caller, call.input.into(), call.repeat, call.origin).await?;
    Created::of(&CustomerView::from(&customer))
}

pub async fn show(
    call: Call<CustomersRead>,
    id: Named<CustomerReference>,
    state: SharedState,
) -> ApiResult<Shown<CustomerView>> {
    let customer = state.services.directory.customer(&call.caller, &id, call.origin).await?;
    Shown::of(&CustomerView::from(&customer))
}

pub async fn update(
    call: Call<CustomersWrite, CustomerUpdate>,
    id: Named<CustomerReference>,
    state: SharedState,
) -> ApiResult<Updated<CustomerView>> {
    let directory = &state.services.directory;
    let customer = directory.update_customer(&call.caller, &id, call.input.into(), call.origin).await?;
    Updated::of(&CustomerView::from(&customer))
}

pub async fn suspend(
    call: Call<CustomersWrite>,
    id: Named<CustomerReference>,
    state: SharedState,
) -> ApiResult<Updated<CustomerView>> {
    let customer = state.services.directory.suspend_customer(&call.caller, &id, true, call.origin).await?;
    Updated::of(&CustomerView::from(&customer))
}

pub async fn resume(
    call: Call<CustomersWrite>,
    id: Named<CustomerReference>,
    state: SharedState,
) -> ApiResult<Updated<CustomerView>> {
    let customer = state.services.directory.suspend_customer(&call.caller, &id, false, call.origin).await?;
    Updated::of(&CustomerView::from(&customer))
}

pub async fn delete(
    call: Call<CustomersWrite>,
    id: Named<CustomerReference>,
    state: SharedState,
) -> ApiResult<NoContent> {
    state.services.directory.delete_customer(&call.caller, &id, call.origin).await?;
    Ok(NoContent)
}
