//! The commands `sealwright role …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::confirmation::{Confirmation, Question};
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
        /// Name of the role
        #[arg(value_name = "NAME", required_unless_present = "named", conflicts_with = "named")]
        name: Option<String>,
        /// Name of the role, as an option
        #[arg(long = "name", value_name = "NAME", id = "named")]
        named: Option<String>,
        /// Description of its purpose
        #[arg(long)]
        description: Option<String>,
        /// Scope that credentials of its users may have at most, management permissions included (repeatable, or
        /// several separated by commas or spaces); `none` allows nothing
        #[arg(long, required = true)]
        scope: Vec<String>,
    },
    /// List roles, ordered by name
    List,
    /// Show a role
    Show {
        /// Name of the role
        name: String,
    },
    /// Update a role, effective at once for all credentials of its users; fields without an option stay as they are
    Update {
        /// Name of the role
        name: String,
        /// Description of its purpose
        #[arg(long)]
        description: Option<String>,
        /// Scope that credentials of its users may have at most (repeatable, or several separated by commas or
        /// spaces); replaces the list; `none` allows nothing
        #[arg(long)]
        scope: Vec<String>,
    },
    /// Delete a role that no user has
    Delete {
        /// Name of the role
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

fn members(description: Option<String>, scope: Vec<String>) -> Members {
    let members = Members::default().text("description", description);
    // `none` is the empty list: a role without scopes allows nothing.
    if scope.len() == 1 && scope[0] == "none" {
        members.empty_list("scopes")
    } else {
        members.scopes("scopes", scope, "")
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
        Command::Delete { name, confirmation } => session::run(flags, "role delete", async move |session| {
            confirmation.ask(deletion(&session, &name)).await?;
            let Session { services, caller, origin } = session;
            services.directory.delete_role(&caller, &name, origin).await?;
            output::object(json, &json!({"name": name, "deleted": true}));
            Ok(())
        }),
    }
}

async fn deletion(session: &Session, name: &str) -> Result<Question, CliError> {
    let Session { services, caller, origin } = session;
    let role = services.directory.role(caller, name, origin.clone()).await?;
    let allowed = if role.scopes.is_empty() { "nothing" } else { role.scopes.as_str() };
    let about = format!("The role {} allows at most: {allowed}.", role.name);
    Ok(Question { about, question: "Delete it permanently?" })
}
