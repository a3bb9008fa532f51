//! The command `sealwright revoke-all`, for emergencies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::options::invalid;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::environment::Environment;
use crate::service::error::ServiceError;
use crate::service::operations::{RevokeFilter, RevokedAll};
use crate::store::epochs::Counts;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Only count what would be revoked
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
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
    let Arguments { which, dry_run, yes } = arguments;
    if !dry_run && !yes && !output::has_terminal() {
        return Err(CliError::Usage("nothing revoked: add --yes".to_owned()));
    }
    session::run(flags, "revoke-all", async move |session| {
        let Session { services, caller, origin } = session;
        let operations = &services.operations;
        if *dry_run || !yes {
            let counted = operations.count_for_revoke_all(&caller, which.filter(), Arc::clone(&origin)).await;
            let counted = counted.map_err(failed)?;
            if *dry_run {
                output::object(json, &which.shown(&counted));
                return Ok(());
            }
            let Counts { clients, keys } = counted.counts.unwrap_or_default();
            let question = format!(
                "Revoke everything of {} permanently, which is now: clients {clients}, API keys {keys}?",
                which.words()
            );
            if !output::confirmed(&question) {
                return Err(CliError::Usage("nothing revoked".to_owned()));
            }
        }
        let done = operations.revoke_all(&caller, which.filter(), None, origin).await.map_err(failed)?;
        output::object(json, &which.shown(&done));
        Ok(())
    })
}

/// What an option names is not there: the command failed, it was not used wrongly.
fn failed(error: ServiceError) -> CliError {
    match error {
        ServiceError::Invalid(fields) => CliError::Failed(invalid(&fields).to_string()),
        other => other.into(),
    }
}
