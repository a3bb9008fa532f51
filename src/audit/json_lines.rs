//! Audit events as lines of JSON.

use std::io::Write as _;
use std::path::Path;

use crate::domain::audit::AuditEvent;
use crate::domain::environment::Environment;

/// Writes events as lines of JSON for a collector. The database is the record: a line that cannot be written is only
/// logged.
pub(super) struct JsonLines(Box<dyn std::io::Write + Send>);

impl JsonLines {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        if path == Path::new("-") {
            return Ok(Self(Box::new(std::io::stdout())));
        }
        // The events are not visible to other users.
        Ok(Self(Box::new(std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?)))
    }

    pub(super) fn write(&mut self, event: &AuditEvent) {
        let line = serde_json::json!({
            "id": event.id.as_str(),
            "time": event.time.to_string(),
            "actor": &*event.actor,
            "credential": event.credential.as_deref(),
            "customer": event.customer.as_deref(),
            "action": event.action.as_str(),
            "target": event.target.as_deref(),
            "environment": event.environment.map(Environment::as_str),
            "outcome": event.outcome.as_str(),
            "status": event.status,
            "reason": event.reason.as_str(),
            "method": &*event.origin.method,
            "path": &event.origin.path,
            "address": event.origin.address,
            "user_agent": &event.origin.user_agent,
            "request_id": event.origin.request_id.as_str(),
            "gateway_request_id": event.origin.gateway_request_id.as_deref(),
            "jti": event.jti.as_deref(),
            "duration_micros": event.duration_micros,
            "count": event.count,
        });
        if let Err(error) = writeln!(self.0, "{line}") {
            log::error!("an audit event could not be written as a line of JSON: {error}");
        }
    }
}
