//! `sealwright scope …`: the registry of what scopes mean.

use clap::Subcommand;
use serde_json::{Value, json};

use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::http::api::scopes::view;

#[derive(Subcommand)]
pub enum Command {
    /// Enter a scope
    Create {
        /// The scope token
        name: String,
        /// What it means
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List the registry, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Show a scope
    Show {
        /// The scope token
        name: String,
    },
    /// Change what is said of a scope
    Update {
        /// The scope token
        name: String,
        /// What it means
        #[arg(long)]
        description: String,
    },
    /// Take a scope out of the registry; who holds it keeps it
    Delete {
        /// The scope token
        name: String,
    },
}

/// Runs the command.
pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { name, description } => session::run(flags, "scope create", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.create_scope(&caller, &name, &description, None, origin).await?));
            Ok(())
        }),
        Command::List { limit } => session::run(flags, "scope list", async move |session| {
            let Session { services, caller, origin } = session;
            let found = services.list_scopes(&caller, None, limit, origin).await?;
            let views: Vec<Value> = found.iter().map(view).collect();
            output::list(json, &views, &["name", "description", "created_at"]);
            Ok(())
        }),
        Command::Show { name } => session::run(flags, "scope show", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.scope(&caller, &name, origin).await?));
            Ok(())
        }),
        Command::Update { name, description } => session::run(flags, "scope update", async move |session| {
            let Session { services, caller, origin } = session;
            let updated = services.update_scope(&caller, &name, Some(&description), origin).await?;
            output::object(json, &view(&updated));
            Ok(())
        }),
        Command::Delete { name } => session::run(flags, "scope delete", async move |session| {
            let Session { services, caller, origin } = session;
            services.delete_scope(&caller, &name, origin).await?;
            output::object(json, &json!({"name": name, "deleted": true}));
            Ok(())
        }),
    }
}
