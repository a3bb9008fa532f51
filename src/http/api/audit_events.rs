//! `/api/v1/audit-events`.

use actix_web::HttpRequest;
use serde_json::{Value, json};

use super::Answer;
use super::page::{Query, page};
use super::permitted::{AuditRead, Permitted};
use crate::domain::audit::Outcome;
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::Timestamp;
use crate::http::SharedState;
use crate::store::audit_log::{EventFilter, StoredEvent};

/// An event as it is shown.
pub fn view(event: &StoredEvent) -> Value {
    json!({
        "id": event.id,
        "time": Timestamp::from_millis(event.time).to_string(),
        "actor": event.actor,
        "credential": event.credential,
        "customer": event.customer,
        "action": event.action,
        "target": event.target,
        "environment": event.environment,
        "outcome": event.outcome,
        "status": event.status,
        "reason": event.reason,
        "method": event.method,
        "path": event.path,
        "address": event.address,
        "user_agent": event.user_agent,
        "request_id": event.request_id,
        "jti": event.jti,
        "duration_micros": event.duration_micros,
        "count": event.count,
    })
}

/// `GET /api/v1/audit-events`: filters `environment`, `credential`, `action`, `outcome`, `request_id`, `since`, `until`.
pub(in crate::http) async fn list(request: HttpRequest, permitted: Permitted<AuditRead>, state: SharedState) -> Answer {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let filter = EventFilter {
        environment: query.get::<Environment>("environment").map(|environment| environment.to_string()),
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
