//! The commands `sealwright audit …`.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::session::{self, Session};
use super::{CliError, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::domain::audit::{Action, EventFilter, Outcome, RecordedEvent};
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::{Duration, Timestamp};
use crate::view::audit_event::AuditEventView;

/// Events that one query of an export reads.
const STEP: i64 = 1000;

#[derive(Subcommand)]
pub enum Command {
    /// List events, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Maximum number of events
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Write every matching event as a line of JSON, newest first
    Export {
        #[command(flatten)]
        filter: Filter,
    },
}

#[derive(Args)]
pub struct Filter {
    /// Only events of or about this credential
    #[arg(long)]
    credential: Option<String>,
    /// Only events of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Only events with this action, such as token.issue
    #[arg(long)]
    action: Option<Action>,
    /// Only events with this outcome: success, refused or error
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Only events of this request
    #[arg(long)]
    request_id: Option<RequestId>,
    /// Only events at or after this time: an RFC 3339 time, or how long ago, such as 24h
    #[arg(long, value_parser = since)]
    since: Option<Timestamp>,
    /// Only events before this time: an RFC 3339 time, or how long ago
    #[arg(long, value_parser = since)]
    until: Option<Timestamp>,
}

fn since(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Duration>() {
        Ok(ago) => Ok(Clock::system().now().minus(ago)),
        Err(_) => text.parse().map_err(|_| "must be an RFC 3339 time, or how long ago, such as 24h".to_owned()),
    }
}

impl Filter {
    fn into_filter(self) -> EventFilter {
        EventFilter {
            environment: self.environment.map(|environment| environment.to_string()),
            with_shared: false,
            customers: vec![],
            credential: self.credential,
            action: self.action,
            outcome: self.outcome,
            request_id: self.request_id,
            since: self.since,
            until: self.until,
            before: None,
        }
    }
}

fn view(event: &RecordedEvent) -> Value {
    output::shown(&AuditEventView::from(event))
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { filter, limit } => session::run(flags, "audit list", async move |session| {
            let Session { services, caller, origin } = session;
            let found = services.insight.list_events(&caller, filter.into_filter(), limit, origin).await?;
            let views: Vec<Value> = found.iter().map(view).collect();
            output::list(
                json,
                &views,
                &["time", "action", "outcome", "reason", "actor", "target", "address", "request_id"],
            );
            Ok(())
        }),
        Command::Export { filter } => session::run(flags, "audit export", async move |session| {
            let Session { services, caller, origin } = session;
            let mut filter = filter.into_filter();
            loop {
                let found = services.insight.list_events(&caller, filter.clone(), STEP, origin.clone()).await?;
                for event in &found {
                    output::line(&view(event).to_string());
                }
                let last = found.last().and_then(|event| event.id.parse::<EventId>().ok());
                match last {
                    Some(last) if found.len() == usize::try_from(STEP).unwrap_or(0) => filter.before = Some(last),
                    _ => return Ok(()),
                }
            }
        }),
    }
}
