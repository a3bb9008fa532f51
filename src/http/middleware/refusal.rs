//! The event of a request that was refused before it reached a use case: every request to an API has one.

use std::sync::Arc;

use actix_web::HttpMessage as _;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;

use super::environment_of;
use crate::domain::audit::{Action, Disposition, Origin, Reason};
use crate::domain::caller::Caller;
use crate::http::State;
use crate::service::audit_context::AuditContext;

/// In the extensions of the response to a request that reached no use case: its event is still to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Unrecorded {
    /// The event's action: `api.call` where an operation of the management API was called, else `request.refuse`.
    pub action: Action,
    /// What became of it.
    pub disposition: Disposition,
    /// Why it was refused.
    pub reason: Reason,
}

pub async fn record(response: &ServiceResponse<BoxBody>, state: &State, origin: &Arc<Origin>) {
    let unrecorded = response.response().extensions().get::<Unrecorded>().copied();
    let Some(Unrecorded { action, disposition, reason }) = unrecorded else { return };
    let caller = response.request().extensions().get::<Caller>().cloned();
    let context = match caller {
        Some(caller) => AuditContext::of(&caller, action, Arc::clone(origin)),
        None => AuditContext::anonymous(action, environment_of(&origin.path), Arc::clone(origin)),
    };
    state.services.recorder.record_final_refusal(&context, disposition, reason).await;
}
