//! The commands `sealwright audit …`.

use std::collections::HashSet;
use std::net::IpAddr;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::audit_verify;
use super::listing::{self, Paging};
use super::options::Members;
use super::output::Lines;
use super::session::{self, Session};
use super::{CliError, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::domain::audit::{Action, EventFilter, Outcome, Reason, RecordedEvent};
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::listing::Listing;
use crate::domain::time::{Duration, Timestamp};
use crate::view::audit_event::{AuditEventFilters, AuditEventView};

/// Events that one query reads.
const STEP: usize = 1000;
/// The pause before new events are looked for again.
const POLL: std::time::Duration = std::time::Duration::from_millis(500);

#[derive(Subcommand)]
pub enum Command {
    /// List events, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        paging: Paging,
        /// Print the newest events, oldest first, and then each as it is stored, until the command is interrupted; JSON
        /// is a line for each. It needs a running server, which gives events their order
        #[arg(long, conflicts_with_all = ["all", "cursor", "until"])]
        follow: bool,
    },
    /// Write every matching event as a line of JSON, newest first
    Export {
        #[command(flatten)]
        filter: Filter,
    },
    /// Check that no sealed event was changed, removed, inserted or reordered. The exit status is 1 if one was
    Verify,
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
    /// Only events with this reason, such as `rate_limited`
    #[arg(long)]
    reason: Option<Reason>,
    /// Only events that concern this customer, by id or external id
    #[arg(long)]
    customer: Option<String>,
    /// Only events of this actor, such as a credential's id or cli:alice
    #[arg(long)]
    actor: Option<String>,
    /// Only events about this object, by id or name
    #[arg(long)]
    target: Option<String>,
    /// Only events of callers with this IP address
    #[arg(long)]
    address: Option<IpAddr>,
    /// Only events of this request
    #[arg(long)]
    request_id: Option<RequestId>,
    /// Only events of requests that a gateway gave this id
    #[arg(long)]
    gateway_request_id: Option<String>,
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
    /// Reads the filter as the API does.
    fn read(self) -> Result<EventFilter, CliError> {
        let members = Members::default()
            .text("credential", self.credential)
            .text("customer", self.customer)
            .text("actor", self.actor)
            .text("target", self.target)
            .text("gateway_request_id", self.gateway_request_id);
        let texts: AuditEventFilters = members.read()?;
        let filters = AuditEventFilters {
            environment: self.environment,
            action: self.action,
            outcome: self.outcome,
            reason: self.reason,
            address: self.address.map(|address| address.to_canonical()),
            request_id: self.request_id,
            since: self.since,
            until: self.until,
            ..texts
        };
        Ok(filters.into())
    }
}

fn view(event: &RecordedEvent) -> Value {
    output::shown(&AuditEventView::from(event))
}

/// What a table of events shows: when and what, how it ended, who, where.
const COLUMNS: &[&str] = &[
    "time",
    "action",
    "outcome",
    "status",
    "reason",
    "count",
    "actor",
    "credential",
    "customer",
    "target",
    "environment",
    "address",
    "request_id",
];

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { filter, paging, follow } => {
            let filter = filter.read()?;
            session::run(flags, "audit list", async move |session| {
                if follow {
                    self::follow(json, &session, &filter, paging.limit()).await
                } else {
                    list(json, &session, &filter, &paging).await
                }
            })
        }
        Command::Export { filter } => {
            let filter = filter.read()?;
            session::run(flags, "audit export", async move |session| export(&session, &filter).await)
        }
        Command::Verify => {
            session::run(flags, "audit verify", async move |session| audit_verify::verify(json, session).await)
        }
    }
}

/// Reads the part of a list that begins after `before`.
async fn read(
    session: &Session,
    filter: &EventFilter,
    before: Option<EventId>,
    count: usize,
) -> Result<Listing<RecordedEvent, EventId>, CliError> {
    let filter = EventFilter { before, ..filter.clone() };
    Ok(session.services.insight.list_events(&session.caller, filter, count, session.origin.clone()).await?)
}

async fn list(json: bool, session: &Session, filter: &EventFilter, paging: &Paging) -> Result<(), CliError> {
    listing::print(
        json,
        paging,
        COLUMNS,
        |cursor| cursor.parse().ok(),
        async |before, count| {
            let Listing { rows, rest } = read(session, filter, before, count).await?;
            Ok(Listing { rows: rows.iter().map(view).collect(), rest })
        },
    )
    .await
}

/// Prints every event as a line of JSON, newest first.
async fn export(session: &Session, filter: &EventFilter) -> Result<(), CliError> {
    let mut before = None;
    loop {
        let found = read(session, filter, before, STEP).await?;
        if !found.rows.iter().all(|event| output::written(&view(event).to_string())) {
            return Ok(());
        }
        match found.rest {
            Some(rest) => before = Some(rest),
            None => return Ok(()),
        }
    }
}

/// Prints the newest `count` events, oldest first, and then each that is stored, until standard output is closed.
/// Events are followed by position, so that none is missed and none is printed twice, whichever process stores it.
async fn follow(json: bool, session: &Session, filter: &EventFilter, count: usize) -> Result<(), CliError> {
    let insight = &session.services.insight;
    let mut position = insight.end().await?;
    let (mut newest, mut before) = (Vec::new(), None);
    loop {
        let Listing { rows, rest } = read(session, filter, before, STEP.min(count - newest.len())).await?;
        newest.extend(rows);
        match rest {
            Some(rest) if newest.len() < count => before = Some(rest),
            _ => break,
        }
    }
    newest.reverse();
    // Those among them that have no position yet are followed by their position, too.
    let printed: HashSet<String> = newest.iter().map(|event| event.id.clone()).collect();
    let mut table = (!json).then(|| Lines::begin(COLUMNS));
    loop {
        for event in newest {
            let event = view(&event);
            let is_open = match &mut table {
                Some(table) => table.add(&event),
                None => output::written(&event.to_string()),
            };
            if !is_open {
                return Ok(());
            }
        }
        let (found, until) = insight.events_after(filter.clone(), position).await?;
        if until <= position {
            tokio::time::sleep(POLL).await;
        }
        position = until;
        newest = found.into_iter().filter(|event| !printed.contains(&event.id)).collect();
    }
}
