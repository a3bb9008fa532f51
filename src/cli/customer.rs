//! The commands `sealwright customer …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::confirmation::{Confirmation, Question};
use super::listing::{self, Paging};
use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::customer::{Customer, CustomerFilter};
use crate::domain::ids::CustomerId;
use crate::view::customer::{CustomerCreate, CustomerFilters, CustomerUpdate, CustomerView};

#[derive(Subcommand)]
pub enum Command {
    /// Create a customer
    Create {
        /// External id: the customer's id on your platform, which APIs see; it cannot be changed or used again
        #[arg(long)]
        external_id: String,
        /// Display name
        #[arg(long)]
        name: String,
        /// Pair of text to keep with it, key=value (repeatable)
        #[arg(long, value_name = "KEY=VALUE")]
        metadata: Vec<String>,
    },
    /// List customers, newest first
    List {
        /// Only the customer with this external id
        #[arg(long)]
        external_id: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a customer
    Show {
        /// The customer's id or external id
        id: String,
    },
    /// Update a customer; fields without an option stay as they are
    Update {
        /// The customer's id or external id
        id: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// Pair of text to keep with it, key=value (repeatable); `key=` removes the pair, and `none` all pairs
        #[arg(long, value_name = "KEY=VALUE")]
        metadata: Vec<String>,
    },
    /// Suspend a customer: credentials do not serve it, and those of no other customer are refused
    Suspend {
        /// The customer's id or external id
        id: String,
    },
    /// Resume a suspended customer
    Resume {
        /// The customer's id or external id
        id: String,
    },
    /// Delete a customer that no credential is tied to; its external id is not given again
    Delete {
        /// The customer's id or external id
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

fn view(customer: &Customer) -> Value {
    output::shown(&CustomerView::from(customer))
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { external_id, name, metadata } => {
            let members = Members::default().text("external_id", Some(external_id)).text("name", Some(name));
            let members = members.pairs("metadata", &metadata)?;
            let new = members.read::<CustomerCreate>()?.into();
            session::run(flags, "customer create", async move |session| {
                let Session { services, caller, origin } = session;
                output::object(json, &view(&services.directory.create_customer(&caller, new, None, origin).await?));
                Ok(())
            })
        }
        Command::List { external_id, paging } => list(flags, json, external_id, paging),
        Command::Show { id } => session::run(flags, "customer show", async move |session| {
            let Session { services, caller, origin } = session;
            output::object(json, &view(&services.directory.customer(&caller, &id, origin).await?));
            Ok(())
        }),
        Command::Update { id, name, metadata } => {
            let members = Members::default().text("name", name).pairs("metadata", &metadata)?;
            let changes = members.read::<CustomerUpdate>()?.into();
            session::run(flags, "customer update", async move |session| {
                let Session { services, caller, origin } = session;
                let customer = services.directory.update_customer(&caller, &id, changes, origin).await?;
                output::object(json, &view(&customer));
                Ok(())
            })
        }
        Command::Suspend { id } => suspend(flags, json, id, true),
        Command::Resume { id } => suspend(flags, json, id, false),
        Command::Delete { id, confirmation } => session::run(flags, "customer delete", async move |session| {
            confirmation.ask(deletion(&session, &id)).await?;
            let Session { services, caller, origin } = session;
            services.directory.delete_customer(&caller, &id, origin).await?;
            output::object(json, &json!({"id": id, "deleted": true}));
            Ok(())
        }),
    }
}

fn list(flags: &Flags, json: bool, external_id: Option<String>, paging: Paging) -> Result<(), CliError> {
    let filter: CustomerFilter = Members::default().text("external_id", external_id).read::<CustomerFilters>()?.into();
    session::run(flags, "customer list", async move |session| {
        let Session { services, caller, origin } = session;
        let columns = &["id", "external_id", "name", "status", "created_at"];
        let position = |cursor: &str| cursor.parse::<CustomerId>().ok();
        listing::print(json, &paging, columns, position, async |before, count| {
            let filter = CustomerFilter { before, ..filter.clone() };
            let wanted = listing::and_one(count);
            let found = services.directory.list_customers(&caller, filter, wanted, origin.clone()).await?;
            Ok(listing::part(found, count, |customer| customer.id.clone(), view))
        })
        .await
    })
}

fn suspend(flags: &Flags, json: bool, id: String, suspended: bool) -> Result<(), CliError> {
    let command = if suspended { "customer suspend" } else { "customer resume" };
    session::run(flags, command, async move |session| {
        let Session { services, caller, origin } = session;
        output::object(json, &view(&services.directory.suspend_customer(&caller, &id, suspended, origin).await?));
        Ok(())
    })
}

async fn deletion(session: &Session, id: &str) -> Result<Question, CliError> {
    let Session { services, caller, origin } = session;
    let customer = services.directory.customer(caller, id, origin.clone()).await?;
    let about = format!(
        "The customer {} ({}) is deleted with its metadata, and its external id is not given again.",
        customer.external_id, customer.name
    );
    Ok(Question { about, question: "Delete it permanently?" })
}
