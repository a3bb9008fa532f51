//! `POST /api/v1/revoke-all`.

use crate::domain::reference::{CustomerReference, UserReference};
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::permission::Admin;
use crate::http::response::{ApiResult, Updated};
use crate::service::operations::RevokeFilter;
use crate::view::revoke_all::{RevokeAll, RevokeAllResult};

pub async fn revoke_all(
    call: Call<Admin, RevokeAll, Repeatable>,
    state: SharedState,
) -> ApiResult<Updated<RevokeAllResult>> {
    let RevokeAll { environment, owner, customer, dry_run } = call.input;
    let filter = RevokeFilter {
        environment,
        owner: owner.as_ref().map(UserReference::to_string),
        customer: customer.as_ref().map(CustomerReference::to_string),
    };
    let operations = &state.services.operations;
    let done = if dry_run == Some(true) {
        operations.count_for_revoke_all(&call.caller, filter, None, call.origin).await?
    } else {
        operations.revoke_all(&call.caller, filter, call.repeat, call.origin).await?
    };
    let counts = done.counts;
    Updated::of(&RevokeAllResult {
        id: done.id,
        clients: counts.map(|counts| counts.clients),
        keys: counts.map(|counts| counts.keys),
    })
}
