//! `sealwright role …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::role::Role;
use crate::view::role::{RoleCreate, RoleUpdate, RoleView};

#[derive(Subcommand)]
pub enum Command {
    /// Create a role
    Create {
        /// Its name
        #[arg(value_name = "NAME", required_unless_present = "named", conflicts_with = "named")]
        name: Option<String>,
        /// The same as an option
        #[arg(long = "name", value_name = "NAME", id = "named")]
        named: Option<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// What credentials of its users may at most carry, management permissions among them (repeatable); `none` is
        /// nothing
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
    /// Delete a role that no user has
    Delete {
        /// Its name
        name: String,
    },
}

fn members(description: Option<String>, scope: Vec<String>) -> Members {
    let members = Members::default().text("description", description);
    // Where `none` is named the list is empty; a role without scopes allows nothing.
    if scope.len() == 1 && scope[0] == "none" {
        members.empty_list("scopes")
    } else {
        members.list("scopes", scope, "")
    }
}

fn view(role: &Role) -> Value {
    output::shown(&RoleView::from(role))
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { name, named, description, scope } => {
            let new = members(description, scope).text("name", name.or(named)).read::<RoleCreate>()?.into();
            session::run(flags, "role create", async move |session| {
                let Session { services, caller, origin } = session;
                output::object(json, &view(&services.directory.create_role(&caller, new, None, origin).await?));
                Ok(())
            })
        }
        Command::List => session::run(flags, "role list", async move |session| {
            let Session { services, caller, origin } = session;
            let views: Vec<Value> = services.directory.list_roles(&caller, origin).await?.iter().map(view).collect();
            output::list(json, &views, &["name", "built_in", "scopes"]);
            Ok(())
        }),
        Command::Show { name } => session::run(flags, "role show", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.directory.role(&caller, &name, origin).await?));
            Ok(())
        }),
        Command::Update { name, description, scope } => {
            let changes = members(description, scope).read::<RoleUpdate>()?.into();
            session::run(flags, "role update", async move |session| {
                let Session { services, caller, origin } = session;
                let role = services.directory.update_role(&caller, &name, changes, origin).await?;
                output::object(json, &view(&role));
                Ok(())
            })
        }
        Command::Delete { name } => session::run(flags, "role delete", async move |session| {
            let Session { services, caller, origin } = session;
            services.directory.delete_role(&caller, &name, origin).await?;
            output::object(json, &json!({"name": name, "deleted": true}));
            Ok(())
        }),
    }
}
