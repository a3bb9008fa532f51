//! `sealwright revoke-all`: the emergency brake.

use serde_json::json;

use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::environment::Environment;
use crate::service::revoke_all::Doomed;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    whose: Whose,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Whose credentials to end: those of which all that is named applies.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Whose {
    /// Of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Of this user, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Tied to this customer, by either of its ids
    #[arg(long)]
    customer: Option<String>,
}

/// Runs the command.
pub fn run(flags: &Flags, json: bool, arguments: &Arguments) -> Result<(), CliError> {
    let Whose { environment, owner, customer } = &arguments.whose;
    let named: Vec<String> = [
        environment.map(|environment| environment.to_string()),
        owner.as_ref().map(|owner| format!("owner {owner}")),
        customer.as_ref().map(|customer| format!("customer {customer}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let question = format!("Revoke every client and API key of {}, for good?", named.join(" and "));
    if !arguments.yes && !output::confirmed(&question) {
        return Err(CliError::Usage("nothing revoked: say --yes".to_owned()));
    }
    let doomed = Doomed { environment: *environment, owner: owner.clone(), customer: customer.clone() };
    session::run(flags, "revoke-all", async move |session| {
        let Session { services, caller, origin } = session;
        let said = json!({
            "environment": doomed.environment.map(Environment::as_str),
            "owner": doomed.owner,
            "customer": doomed.customer,
        });
        let ended = services.revoke_all(&caller, doomed, origin).await?;
        let mut said = said;
        said["revoked"] = (ended.clients + ended.keys).into();
        said["clients"] = ended.clients.into();
        said["keys"] = ended.keys.into();
        output::object(json, &said);
        Ok(())
    })
}
