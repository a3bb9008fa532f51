//! What commands for clients and for API keys have in common.

use clap::Args;

use crate::clock;
use crate::domain::caller::Caller;
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::credentials::{CredentialFilter, Due};

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
    /// Only those of this user, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Only those that are tied to this customer, by either of its ids
    #[arg(long)]
    customer: Option<String>,
    /// Only those that are due to be rotated
    #[arg(long)]
    rotation_due: bool,
}

impl Filter {
    /// The filter now.
    pub async fn into_filter(self, services: &Services, caller: &Caller) -> Result<CredentialFilter, ServiceError> {
        let now = clock::now();
        let owner = match &self.owner {
            Some(name) => Some(services.user_named(caller, name).await?),
            None => None,
        };
        Ok(CredentialFilter {
            environment: self.environment,
            name: self.name,
            kind: None,
            owner,
            customer: self.customer,
            within: vec![],
            status: self.status.map(|status| (status, now)),
            due: self.rotation_due.then(|| Due { is_due: true, rotated_before: now.minus(services.rotation_age), now }),
            before: None,
        })
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
