//! `sealwright customer …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::http::api::customers::view;
use crate::service::customers::CustomerInput;
use crate::service::input::Patch;
use crate::store::customers::CustomerFilter;

#[derive(Subcommand)]
pub enum Command {
    /// Enter a customer
    Create {
        /// Its id on your platform
        #[arg(long)]
        external_id: String,
        /// What people call it
        #[arg(long)]
        name: String,
    },
    /// List customers, newest first
    List {
        /// Only the one with this external id
        #[arg(long)]
        external_id: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Show a customer
    Show {
        /// Either of its ids
        id: String,
    },
    /// Change a customer; what is not named stays
    Update {
        /// Either of its ids
        id: String,
        /// Its id on your platform
        #[arg(long)]
        external_id: Option<String>,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
    },
    /// Remove a customer that no credential is tied to
    Delete {
        /// Either of its ids
        id: String,
    },
}

/// Runs the command.
pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { external_id, name } => session::run(flags, "customer create", async move |session| {
            let Session { services, caller, origin } = session;
            let input = CustomerInput { external_id: Patch::Set(external_id), name: Patch::Set(name) };
            output::object(json, &view(&services.create_customer(&caller, input, None, origin).await?));
            Ok(())
        }),
        Command::List { external_id, limit } => session::run(flags, "customer list", async move |session| {
            let Session { services, caller, origin } = session;
            let filter = CustomerFilter { external_id, ..CustomerFilter::default() };
            let found = services.list_customers(&caller, filter, limit, origin).await?;
            let views: Vec<Value> = found.iter().map(view).collect();
            output::list(json, &views, &["id", "external_id", "name", "created_at"]);
            Ok(())
        }),
        Command::Show { id } => session::run(flags, "customer show", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.customer(&caller, &id, origin).await?));
            Ok(())
        }),
        Command::Update { id, external_id, name } => session::run(flags, "customer update", async move |session| {
            let Session { services, caller, origin } = session;
            let input = CustomerInput {
                external_id: external_id.map_or(Patch::Keep, Patch::Set),
                name: name.map_or(Patch::Keep, Patch::Set),
            };
            output::object(json, &view(&services.update_customer(&caller, &id, input, origin).await?));
            Ok(())
        }),
        Command::Delete { id } => session::run(flags, "customer delete", async move |session| {
            let Session { services, caller, origin } = session;
            services.delete_customer(&caller, &id, origin).await?;
            output::object(json, &json!({"id": id, "deleted": true}));
            Ok(())
        }),
    }
}
