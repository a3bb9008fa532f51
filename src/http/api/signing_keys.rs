//! `/api/v1/signing-keys`. Private halves are never shown.

use crate::domain::field_error::FieldError;
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::error::ApiError;
use crate::http::named::Named;
use crate::http::permission::{SigningKeysRead, SigningKeysWrite};
use crate::http::response::{ApiResult, Created, Paged, Shown, Updated};
use crate::http::said::Query;
use crate::view::field::KeyThumbprint;
use crate::view::page::{List, Page};
use crate::view::signing_key::{SigningKeyFilters, SigningKeyRotation, SigningKeyView};

pub async fn list(
    call: Call<SigningKeysRead, Query<List<SigningKeyFilters, KeyThumbprint>>>,
    state: SharedState,
) -> ApiResult<Paged<SigningKeyView>> {
    let Query(List { filters, limit, cursor, .. }) = call.input;
    let mut keys = state.services.signing_keys.list(&call.caller, cursor, call.origin).await?;
    let now = state.services.recorder.now();
    keys.retain(|key| {
        filters.environment.is_none_or(|wanted| key.environment == wanted)
            && filters.algorithm.is_none_or(|wanted| key.algorithm == wanted)
            && filters.status.is_none_or(|wanted| key.status(now) == wanted)
    });
    Shown::of(&Page::new(limit, keys.iter().map(|key| (key.kid.to_string(), SigningKeyView::new(key, now)))))
}

pub async fn rotate(
    call: Call<SigningKeysWrite, SigningKeyRotation, Repeatable>,
    state: SharedState,
) -> ApiResult<Created<SigningKeyView>> {
    let SigningKeyRotation { environment, algorithm, lead } = call.input;
    let environment = environment
        .or(call.caller.environment())
        .ok_or_else(|| ApiError::Fields(vec![FieldError::new("environment", "is required")]))?;
    let services = &state.services;
    let algorithm = algorithm.unwrap_or_else(|| services.issuers.of(environment).algorithm);
    let keys = &services.signing_keys;
    let key = keys.rotate(&call.caller, environment, algorithm, lead, call.repeat, call.origin).await?;
    Created::of(&SigningKeyView::new(&key, services.recorder.now()))
}

pub async fn destroy(
    call: Call<SigningKeysWrite>,
    kid: Named<KeyThumbprint>,
    state: SharedState,
) -> ApiResult<Updated<SigningKeyView>> {
    let key = state.services.signing_keys.destroy(&call.caller, &kid, call.origin).await?;
    Updated::of(&SigningKeyView::new(&key, state.services.recorder.now()))
}
