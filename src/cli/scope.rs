//! The commands `sealwright scope …`, which manage the registry that describes scopes.

use clap::Subcommand;
use serde_json::{Value, json};

use super::confirmation::{Confirmation, Question};
use super::listing::{self, Paging};
use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::scope::Scope;
use crate::domain::scope_entry::ScopeEntry;
use crate::view::scope::{ScopeCreate, ScopeUpdate, ScopeView};

#[derive(Subcommand)]
pub enum Command {
    /// Create the entry of a scope
    Create {
        /// The scope
        name: String,
        /// Description of what it allows
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List scopes in the registry, newest first
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show the entry of a scope
    Show {
        /// The scope
        name: String,
    },
    /// Change the description of a scope
    Update {
        /// The scope
        name: String,
        /// Description of what it allows
        #[arg(long)]
        description: String,
    },
    /// Delete the entry of a scope; credentials that have the scope keep it
    Delete {
        /// The scope
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

fn view(entry: &ScopeEntry) -> Value {
    output::shown(&ScopeView::from(entry))
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { name, description } => {
            let members = Members::default().text("name", Some(name)).text("description", Some(description));
            let new = members.read::<ScopeCreate>()?.into();
            session::run(flags, "scope create", async move |session| {
                let Session { services, caller, origin } = session;
                output::object(json, &view(&services.directory.create_scope(&caller, new, None, origin).await?));
                Ok(())
            })
        }
        Command::List { paging } => session::run(flags, "scope list", async move |session| {
            let Session { services, caller, origin } = session;
            let columns = &["name", "description", "created_at"];
            let position = |cursor: &str| cursor.parse::<Scope>().ok();
            listing::print(json, &paging, columns, position, async |after, count| {
                let wanted = listing::and_one(count);
                let found = services.directory.list_scopes(&caller, after, wanted, origin.clone()).await?;
                Ok(listing::part(found, count, |entry| entry.name.clone(), view))
            })
            .await
        }),
        Command::Show { name } => session::run(flags, "scope show", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.directory.scope(&caller, &name, origin).await?));
            Ok(())
        }),
        Command::Update { name, description } => {
            let update = Members::default().text("description", Some(description)).read::<ScopeUpdate>()?;
            session::run(flags, "scope update", async move |session| {
                let Session { services, caller, origin } = session;
                let description = update.description.or_cleared(crate::domain::text::Description::default());
                let updated = services.directory.update_scope(&caller, &name, description, origin).await?;
                output::object(json, &view(&updated));
                Ok(())
            })
        }
        Command::Delete { name, confirmation } => session::run(flags, "scope delete", async move |session| {
            confirmation.ask(deletion(&session, &name)).await?;
            let Session { services, caller, origin } = session;
            services.directory.delete_scope(&caller, &name, origin).await?;
            output::object(json, &json!({"name": name, "deleted": true}));
            Ok(())
        }),
    }
}

async fn deletion(session: &Session, name: &str) -> Result<Question, CliError> {
    let Session { services, caller, origin } = session;
    let entry = services.directory.scope(caller, name, origin.clone()).await?;
    let about = format!("Credentials that have the scope {} keep it.", entry.name);
    Ok(Question { about, question: "Delete its entry in the registry?" })
}
