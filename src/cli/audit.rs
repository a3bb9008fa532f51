//! The commands `sealwright audit …`.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::session::{self, Session};
use super::{CliError, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::domain::audit::{Action, EventFilter, Origin, Outcome, RecordedEvent};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::ids::RequestId;
use crate::domain::time::{Duration, Timestamp};
use crate::service::Services;
use crate::view::audit_event::AuditEventView;

/// Events that one query reads.
const STEP: usize = 1000;

#[derive(Subcommand)]
pub enum Command {
    /// List events, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Maximum number of events
        #[arg(long, default_value = "50", value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
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
            credential: self.credential,
            action: self.action,
            outcome: self.outcome,
            request_id: self.request_id,
            since: self.since,
            until: self.until,
            ..EventFilter::default()
        }
    }
}

fn view(event: &RecordedEvent) -> Value {
    output::shown(&AuditEventView::from(event))
}

/// Passes each event of a list to `show`, newest first, at most as many as asked for.
async fn each(
    services: &Services,
    caller: &Caller,
    origin: &Arc<Origin>,
    (mut filter, limit): (EventFilter, usize),
    mut show: impl FnMut(&RecordedEvent),
) -> Result<(), CliError> {
    let mut missing = limit;
    loop {
        let step = STEP.min(missing);
        let found = services.insight.list_events(caller, filter.clone(), step, Arc::clone(origin)).await?;
        found.rows.iter().for_each(&mut show);
        missing -= found.rows.len();
        match found.rest {
            Some(rest) if missing > 0 => filter.before = Some(rest),
            _ => return Ok(()),
        }
    }
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { filter, limit } => session::run(flags, "audit list", async move |session| {
            let Session { services, caller, origin } = session;
            let mut views: Vec<Value> = Vec::new();
            each(
                &services,
                &caller,
                &origin,
                (filter.into_filter(), usize::try_from(limit).unwrap_or(usize::MAX)),
                |event| views.push(view(event)),
            )
            .await?;
            output::list(
                json,
                &views,
                &["time", "action", "outcome", "reason", "actor", "target", "address", "request_id"],
            );
            Ok(())
        }),
        Command::Export { filter } => session::run(flags, "audit export", async move |session| {
            let Session { services, caller, origin } = session;
            let show = |event: &RecordedEvent| output::line(&view(event).to_string());
            each(&services, &caller, &origin, (filter.into_filter(), usize::MAX), show).await
        }),
    }
}
