//! Lists of clients and API keys.

use clap::Args;

use super::CliError;
use super::credential::{view, words};
use super::listing::{self, Paging};
use super::options::Members;
use super::session::{self, Session};
use crate::config::Flags;
use crate::domain::credential::{CredentialFilter, CredentialId, CredentialKind, Due, KeyType, Status};
use crate::domain::environment::Environment;
use crate::domain::listing::Listing;
use crate::view::credential_input::CredentialFilters;

/// Filters of a list of credentials.
#[derive(Args)]
pub struct Filter {
    /// Only credentials of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Only credentials whose names begin with this
    #[arg(long)]
    name: Option<String>,
    /// Only credentials with this status: active, inactive, expired or revoked
    #[arg(long)]
    status: Option<Status>,
    /// Only credentials of this owner, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Only credentials tied to this customer, by id or external id
    #[arg(long)]
    customer: Option<String>,
    /// Only credentials that are due for rotation
    #[arg(long)]
    rotation_due: bool,
    #[command(flatten)]
    paging: Paging,
}

/// Lists credentials in a table of `columns`, or as JSON.
pub fn list(
    flags: &Flags,
    json: bool,
    (kind, key_type): (CredentialKind, Option<KeyType>),
    filter: Filter,
    columns: &'static [&'static str],
) -> Result<(), CliError> {
    let texts = Members::default().text("name", filter.name).text("customer", filter.customer);
    let CredentialFilters { name, customer, .. } = texts.read()?;
    session::run(flags, &words(kind, "list"), async move |session| {
        let (credentials, now) = (&session.services.credentials, session.services.recorder.now());
        let owner = match filter.owner {
            Some(name) => Some(credentials.user_named(&session.caller, name).await?),
            None => None,
        };
        let narrowed = CredentialFilter {
            environment: filter.environment,
            name: name.map(|name| name.to_string()),
            key_type,
            owner,
            customer: customer.map(|customer| customer.to_string()),
            status: filter.status.map(|status| (status, now)),
            due: filter.rotation_due.then(|| Due::at(now, credentials.rotation_age, true)),
            ..CredentialFilter::all(kind)
        };
        print(json, &session, &filter.paging, narrowed, columns).await
    })
}

/// Prints the credentials that pass `filter`.
///
/// # Errors
/// The cursor is of another list, or the database cannot be read.
pub async fn print(
    json: bool,
    session: &Session,
    paging: &Paging,
    filter: CredentialFilter,
    columns: &[&str],
) -> Result<(), CliError> {
    let Session { services, caller, origin } = session;
    let position = |cursor: &str| CredentialId::of_kind(filter.kind, cursor);
    listing::print(json, paging, columns, position, async |before, count| {
        let filter = CredentialFilter { before, ..filter.clone() };
        let Listing { rows, rest } = services.credentials.list(caller, filter, count, origin.clone()).await?;
        Ok(Listing { rows: rows.iter().map(|tied| view(services, tied, None)).collect(), rest })
    })
    .await
}
