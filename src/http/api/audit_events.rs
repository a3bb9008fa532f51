//! `/api/v1/audit-events`.

use crate::domain::audit::EventFilter;
use crate::domain::ids::EventId;
use crate::http::SharedState;
use crate::http::call::Call;
use crate::http::permission::AuditRead;
use crate::http::response::{ApiResult, Paged, Shown};
use crate::http::said::Query;
use crate::view::audit_event::{AuditEventFilters, AuditEventView};
use crate::view::page::{List, Page};

pub async fn list(
    call: Call<AuditRead, Query<List<AuditEventFilters, EventId>>>,
    state: SharedState,
) -> ApiResult<Paged<AuditEventView>> {
    let Query(List { filters, limit, cursor, .. }) = call.input;
    let filter = EventFilter { before: cursor, ..filters.into() };
    let limit = usize::try_from(limit).unwrap_or(1);
    let listing = state.services.insight.list_events(&call.caller, filter, limit, call.origin).await?;
    let views = listing.rows.iter().map(AuditEventView::from);
    Shown::of(&Page::of(views.collect(), listing.rest.map(|rest| rest.to_string())))
}
