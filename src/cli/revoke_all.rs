//! The command `sealwright revoke-all`, for emergencies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::confirmation::{Confirmation, Question, lately};
use super::options::invalid;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::environment::Environment;
use crate::service::error::ServiceError;
use crate::service::operations::{RevokeFilter, RevokedAll};
use crate::store::epochs::Counts;

/// The members that [`Which`] names.
const FILTERS: [&str; 3] = ["environment", "owner", "customer"];

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Only count what would be revoked
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Filters of the credentials to revoke. A credential must match all that are given.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Which {
    /// Credentials of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Credentials of this owner, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Credentials tied to this customer, by id or external id
    #[arg(long)]
    customer: Option<String>,
}

impl Which {
    fn filter(&self) -> RevokeFilter {
        let Self { environment, owner, customer } = self;
        RevokeFilter { environment: *environment, owner: owner.clone(), customer: customer.clone() }
    }

    /// Returns what is named, for the question.
    fn words(&self) -> String {
        let Self { environment, owner, customer } = self;
        let named = [
            environment.map(|environment| environment.to_string()),
            owner.as_ref().map(|owner| format!("owner {owner}")),
            customer.as_ref().map(|customer| format!("customer {customer}")),
        ];
        named.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    fn shown(&self, done: &RevokedAll) -> Value {
        let (counts, is_done) = (done.counts, done.id.is_some());
        json!({
            "id": done.id,
            "environment": self.environment.map(Environment::as_str),
            "owner": self.owner,
            "customer": self.customer,
            "dry_run": !is_done,
            "revoked": if is_done { counts.map(|counts| counts.clients + counts.keys) } else { Some(0) },
            "clients": counts.map(|counts| counts.clients),
            "keys": counts.map(|counts| counts.keys),
        })
    }
}

pub fn run(flags: &Flags, json: bool, arguments: &Arguments) -> Result<(), CliError> {
    let Arguments { which, dry_run, confirmation } = arguments;
    session::run(flags, "revoke-all", async move |session| {
        if !*dry_run {
            confirmation.ask(question(&session, which)).await?;
        }
        let Session { services, caller, origin } = session;
        let operations = &services.operations;
        let done = if *dry_run {
            operations.count_for_revoke_all(&caller, which.filter(), None, origin).await
        } else {
            operations.revoke_all(&caller, which.filter(), None, origin).await
        };
        let mut shown = which.shown(&done.map_err(failed)?);
        if let Some(members) = shown.as_object_mut().filter(|_| !json) {
            // An owner that is not named would be shown as the organisation, as if only its credentials were meant.
            members.retain(|name, value| !(value.is_null() && FILTERS.contains(&name.as_str())));
        }
        output::object(json, &shown);
        Ok(())
    })
}

/// What it ends: how many credentials, and how many of them were used in the last day.
async fn question(session: &Session, which: &Which) -> Result<Question, CliError> {
    let Session { services, caller, origin } = session;
    let since = Some(lately(services.recorder.now()));
    let counting = services.operations.count_for_revoke_all(caller, which.filter(), since, Arc::clone(origin));
    let counted = counting.await.map_err(failed)?;
    let Counts { clients, keys } = counted.counts.unwrap_or_default();
    let used = counted.used.map_or_else(|| "unknown".to_owned(), |used| (used.clients + used.keys).to_string());
    let about =
        format!("Credentials of {}: clients {clients}, API keys {keys}; used in the last day: {used}.", which.words());
    Ok(Question { about, question: "Revoke all of them permanently?" })
}

/// What an option names is not there: the command failed, it was not used wrongly.
fn failed(error: ServiceError) -> CliError {
    let code = error.reason();
    match error {
        ServiceError::Invalid(fields) => CliError::Refused { code, message: invalid(&fields).to_string() },
        other => other.into(),
    }
}
