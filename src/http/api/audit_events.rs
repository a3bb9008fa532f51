//! `/api/v1/audit-events`.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Answer;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{AuditRead, Permitted};
use super::schema::{self, Time};
use crate::domain::audit::Outcome;
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::Timestamp;
use crate::http::SharedState;
use crate::store::audit_log::{EventFilter, StoredEvent};

/// An event as it is shown. It never has a secret, a token or a key.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
struct EventView<'e> {
    id: &'e str,
    time: Time,
    /// Who acted: a credential's id, `cli:` and the operating system's user, `system`, or `anonymous`.
    actor: &'e str,
    /// The credential that was used or tried, if it exists.
    #[schema(required)]
    credential: Option<&'e str>,
    #[schema(required)]
    customer: Option<&'e str>,
    /// What was done, such as `token.issue` or `client.create`.
    action: &'e str,
    /// What it was done to.
    #[schema(required)]
    target: Option<&'e str>,
    #[schema(required, value_type = Option<schema::Environment>)]
    environment: Option<&'e str>,
    #[schema(value_type = schema::Outcome)]
    outcome: &'e str,
    /// HTTP status of the answer, or what it would be for a command.
    status: i32,
    /// A stable code of why.
    reason: &'e str,
    /// HTTP method; `CLI` for a command.
    method: &'e str,
    /// Path without its query; the command's words for a command.
    path: &'e str,
    /// The caller's address behind trusted proxies.
    #[schema(required)]
    address: Option<&'e str>,
    user_agent: &'e str,
    /// What `X-Request-Id` of the answer said.
    request_id: &'e str,
    /// What a gateway that asked has as the id of the request that it asked about.
    #[schema(required)]
    gateway_request_id: Option<&'e str>,
    /// The token concerned.
    #[schema(required)]
    jti: Option<&'e str>,
    /// Microseconds from the request's arrival to the decision.
    duration_micros: i64,
    /// How many like refusals this event stands for; 1 but for summaries.
    count: i64,
}

/// An event as it is shown.
pub fn view(event: &StoredEvent) -> Value {
    json!(EventView {
        id: &event.id,
        time: Timestamp::from_millis(event.time).into(),
        actor: &event.actor,
        credential: event.credential.as_deref(),
        customer: event.customer.as_deref(),
        action: &event.action,
        target: event.target.as_deref(),
        environment: event.environment.as_deref(),
        outcome: &event.outcome,
        status: event.status,
        reason: &event.reason,
        method: &event.method,
        path: &event.path,
        address: event.address.as_deref(),
        user_agent: &event.user_agent,
        request_id: &event.request_id,
        gateway_request_id: event.gateway_request_id.as_deref(),
        jti: event.jti.as_deref(),
        duration_micros: event.duration_micros,
        count: event.count,
    })
}

/// List audit events
///
/// Every access and change, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit-events",
    operation_id = "list_audit_events",
    tag = "Audit",
    params(
        ("environment" = Option<schema::Environment>, Query, description = "Only those of this environment."),
        ("credential" = Option<String>, Query, description = "Only those of this credential."),
        ("action" = Option<String>, Query, description = "Only those with this action.", example = "token.issue"),
        ("outcome" = Option<schema::Outcome>, Query, description = "Only those that ended so."),
        ("request_id" = Option<String>, Query, description = "Only those of this request."),
        ("since" = Option<Time>, Query, description = "Only those at this time or later."),
        ("until" = Option<Time>, Query, description = "Only those before this time."),
        PageParameters,
    ),
    responses((status = 200, description = "A page of events.", body = Page<EventView<'_>>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<AuditRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let filter = EventFilter {
        environment: query.get::<Environment>("environment").map(|environment| environment.to_string()),
        with_shared: false,
        customers: vec![],
        credential: query.get::<String>("credential"),
        action: query.get::<String>("action"),
        outcome: query.get::<Outcome>("outcome"),
        request_id: query.get::<RequestId>("request_id"),
        since: query.get::<Timestamp>("since"),
        until: query.get::<Timestamp>("until"),
        before: query.get::<EventId>("cursor"),
    };
    query.finish()?;
    let rows = state.services.list_audit_events(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |event| event.id.clone(), view))
}
