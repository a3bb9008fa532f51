//! The command `sealwright key find`.

use clap::Args;

use super::credential::{self, words};
use super::key::COLUMNS;
use super::listing::Paging;
use super::options::Members;
use super::session::{self, Session};
use super::{CliError, credential_list, output};
use crate::config::Flags;
use crate::domain::credential::{CredentialFilter, CredentialKind};
use crate::view::credential_input::ApiKeyFilters;

const KIND: CredentialKind = CredentialKind::ApiKey;

/// The key to find. Without an option it is read from standard input, where other users of the machine cannot see it.
#[derive(Args)]
pub struct Search {
    /// How its value begins, as lists show it, such as `sw_live_Ab3d`
    #[arg(long)]
    prefix: Option<String>,
    /// The last four characters of its value
    #[arg(long)]
    last_four: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub fn run(flags: &Flags, json: bool, search: Search) -> Result<(), CliError> {
    if search.prefix.is_none() && search.last_four.is_none() {
        let value = output::first_line_of_input()?;
        return session::run(flags, &words(KIND, "find"), async move |session| {
            let Session { services, caller, origin } = session;
            credential::print(json, &services, &services.credentials.find_key(&caller, value.trim(), origin).await?);
            Ok(())
        });
    }
    let members = Members::default().text("prefix", search.prefix).text("last_four", search.last_four);
    let ApiKeyFilters { prefix, last_four, .. } = members.read()?;
    session::run(flags, &words(KIND, "find"), async move |session| {
        let filter = CredentialFilter { prefix, last_four, ..CredentialFilter::all(KIND) };
        credential_list::print(json, &session, &search.paging, filter, COLUMNS).await
    })
}
