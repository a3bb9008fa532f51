//! One audit event as a line of JSON.

use crate::domain::audit::RecordedEvent;

/// Returns position and id of the event of a line.
pub fn position_of(line: &[u8]) -> Option<(i64, String)> {
    let line: serde_json::Value = serde_json::from_slice(line).ok()?;
    Some((line["position"].as_i64()?, line["id"].as_str()?.to_owned()))
}

/// Returns the line of an event, with its end.
pub fn line(position: i64, event: &RecordedEvent) -> Vec<u8> {
    let line = serde_json::json!({
        "position": position,
        "id": event.id,
        "time": event.time.to_string(),
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
        "gateway_request_id": event.gateway_request_id,
        "jti": event.jti,
        "duration_micros": event.duration_micros,
        "count": event.count,
    });
    let mut line = line.to_string().into_bytes();
    line.push(b'\n');
    line
}
