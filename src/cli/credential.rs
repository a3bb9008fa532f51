//! What commands for clients and for API keys have in common.

use clap::Args;

use crate::clock;
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::domain::ids::UserId;
use crate::domain::time::Duration;
use crate::store::credentials::CredentialFilter;

/// Which credentials to list.
#[derive(Args)]
pub struct Filter {
    /// Only those of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Only those with exactly this name
    #[arg(long)]
    name: Option<String>,
    /// Only those with this status: active, inactive, expired or revoked
    #[arg(long)]
    status: Option<Status>,
    /// Only those of this user
    #[arg(long)]
    owner: Option<UserId>,
    /// Only those that are tied to this customer, by either of its ids
    #[arg(long)]
    customer: Option<String>,
    /// Only those that are due to be rotated
    #[arg(long)]
    rotation_due: bool,
}

impl Filter {
    /// The filter now, where credentials are due to be rotated at `rotation_age`.
    pub fn into_filter(self, rotation_age: Duration) -> CredentialFilter {
        let now = clock::now();
        CredentialFilter {
            environment: self.environment,
            name: self.name,
            kind: None,
            owner: self.owner,
            customer: self.customer,
            within: vec![],
            status: self.status.map(|status| (status, now)),
            rotated_before: self.rotation_due.then(|| now.minus(rotation_age)),
            before: None,
        }
    }
}

/// To whom a credential is given.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct NewOwner {
    /// User, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// The organisation: no role is its ceiling any more
    #[arg(long)]
    to_organisation: bool,
}

impl NewOwner {
    /// The user, or `None` for the organisation.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}
