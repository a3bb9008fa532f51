//! `/api/v1/audit-events`.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::page::{Query, page};
use super::permitted::{AuditRead, Permitted};
use crate::domain::audit::Outcome;
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::Timestamp;
use crate::http::{SharedState, error};
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
pub async fn list(request: HttpRequest, permitted: Permitted<AuditRead>, state: SharedState) -> HttpResponse {
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
    if let Err(error) = query.finish() {
        return permitted.refuse(&state, "audit.list", None, &error).await;
    }
    match state.services.list_audit_events(&permitted.caller, filter, limit + 1, permitted.origin).await {
        Ok(rows) => page(rows, limit, |event| event.id.clone(), view),
        Err(error) => error::service(&error),
    }
}
