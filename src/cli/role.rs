//! `sealwright role …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::named::list;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::http::api::roles::view;
use crate::service::input::Patch;
use crate::service::roles::RoleInput;

#[derive(Subcommand)]
pub enum Command {
    /// Create a role
    Create {
        /// Its name
        #[arg(value_name = "NAME", required_unless_present = "named", conflicts_with = "named")]
        name: Option<String>,
        /// Its name, too
        #[arg(long = "name", value_name = "NAME", id = "named")]
        named: Option<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// What credentials of its users may at most carry, management permissions among them (repeatable); `none` is nothing
        #[arg(long, required = true)]
        scope: Vec<String>,
    },
    /// List roles by name
    List,
    /// Show a role
    Show {
        /// Its name
        name: String,
    },
    /// Change a role, for all credentials of its users at once; what is not named stays
    Update {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// All that credentials of its users may at most carry (repeatable); `none` is nothing
        #[arg(long)]
        scope: Vec<String>,
    },
    /// Remove a role that no user has
    Delete {
        /// Its name
        name: String,
    },
}

fn input(description: Option<String>, scope: Vec<String>) -> RoleInput {
    RoleInput { description: description.map_or(Patch::Keep, Patch::Set), scopes: list(scope, "none") }
}

/// Runs the command.
pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { name, named, description, scope } => {
            session::run(flags, "role create", async move |session| {
                let Session { services, caller, origin } = session;
                let name = name.or(named).unwrap_or_default();
                let input = input(description, scope);
                output::object(json, &view(&services.create_role(&caller, &name, input, None, origin).await?));
                Ok(())
            })
        }
        Command::List => session::run(flags, "role list", async move |session| {
            let Session { services, caller, origin } = session;
            let views: Vec<Value> = services.list_roles(&caller, origin).await?.iter().map(view).collect();
            output::list(json, &views, &["name", "built_in", "scopes"]);
            Ok(())
        }),
        Command::Show { name } => session::run(flags, "role show", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.role(&caller, &name, origin).await?));
            Ok(())
        }),
        Command::Update { name, description, scope } => session::run(flags, "role update", async move |session| {
            let Session { services, caller, origin } = session;
            let input = input(description, scope);
            output::object(json, &view(&services.update_role(&caller, &name, input, origin).await?));
            Ok(())
        }),
        Command::Delete { name } => session::run(flags, "role delete", async move |session| {
            let Session { services, caller, origin } = session;
            services.delete_role(&caller, &name, origin).await?;
            output::object(json, &json!({"name": name, "deleted": true}));
            Ok(())
        }),
    }
}
