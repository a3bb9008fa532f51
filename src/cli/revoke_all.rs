//! The command `sealwright revoke-all`, for emergencies.

use serde_json::json;

use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::environment::Environment;
use crate::service::operations::RevokeFilter;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
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

pub fn run(flags: &Flags, json: bool, arguments: &Arguments) -> Result<(), CliError> {
    let Which { environment, owner, customer } = &arguments.which;
    let named: Vec<String> = [
        environment.map(|environment| environment.to_string()),
        owner.as_ref().map(|owner| format!("owner {owner}")),
        customer.as_ref().map(|customer| format!("customer {customer}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let question = format!("Revoke every client and API key of {} permanently?", named.join(" and "));
    if !arguments.yes && !output::confirmed(&question) {
        return Err(CliError::Usage("nothing revoked: add --yes".to_owned()));
    }
    let filter = RevokeFilter { environment: *environment, owner: owner.clone(), customer: customer.clone() };
    session::run(flags, "revoke-all", async move |session| {
        let Session { services, caller, origin } = session;
        let mut said = json!({
            "environment": filter.environment.map(Environment::as_str),
            "owner": filter.owner,
            "customer": filter.customer,
        });
        let revoked = services.operations.revoke_all(&caller, filter, origin).await?;
        said["revoked"] = (revoked.clients + revoked.keys).into();
        said["clients"] = revoked.clients.into();
        said["keys"] = revoked.keys.into();
        output::object(json, &said);
        Ok(())
    })
}
