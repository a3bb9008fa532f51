//! `sealwright revoke-all`: the emergency brake.

use serde_json::json;

use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::environment::Environment;

#[derive(clap::Args)]
pub struct Arguments {
    /// Whose clients to end
    #[arg(long)]
    environment: Environment,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub fn run(flags: &Flags, json: bool, arguments: &Arguments) -> Result<(), CliError> {
    let environment = arguments.environment;
    if !arguments.yes && !output::confirmed(&format!("Revoke every client of {environment}, for good?")) {
        return Err(CliError::Usage("nothing revoked: say --yes".to_owned()));
    }
    session::run(flags, "revoke-all", async move |session| {
        let Session { services, caller, origin } = session;
        let revoked = services.revoke_all_clients(&caller, environment, origin).await?;
        output::object(json, &json!({"environment": environment.as_str(), "revoked": revoked}));
        Ok(())
    })
}
