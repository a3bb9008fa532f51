//! To whom a credential belongs: reading owners and customers as they are named from outside, and what a caller sees of them.

use crate::domain::caller::Caller;
use crate::domain::credential::CUSTOMERS_MAX;
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, UserId};
use crate::service::Services;
use crate::service::error::{FieldError, ServiceError};
use crate::service::input::{self, Patch, field_errors};
use crate::store::credentials::CredentialFilter;
use crate::store::{customers, users};

/// Where a new credential is to stand, as it is named from outside; the caller's own where it is not.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewPlace<'p> {
    /// An environment's name.
    pub environment: Option<&'p str>,
    /// A user's id or e-mail address.
    pub owner: Option<&'p str>,
}

/// `filter` narrowed to what the caller reaches with `permission`; `None` where that is nothing.
pub fn visible(caller: &Caller, permission: &str, mut filter: CredentialFilter) -> Option<CredentialFilter> {
    if let Some(own) = caller.environment() {
        if filter.environment.is_some_and(|asked| asked != own) {
            return None;
        }
        filter.environment = Some(own);
    }
    if let Some(only) = caller.only_owner(permission) {
        if filter.owner.as_ref().is_some_and(|asked| asked != only) {
            return None;
        }
        filter.owner = Some(only.clone());
    }
    filter.within = caller.customers().to_vec();
    Some(filter)
}

/// A caller that is tied to customers leaves credentials with its own customers only.
///
/// # Errors
/// These are not.
pub fn require_within(caller: &Caller, customers: &[CustomerId]) -> Result<(), ServiceError> {
    if caller.sees_customers(customers) {
        return Ok(());
    }
    Err(ServiceError::invalid("customers", "must be among the customers that the caller is tied to"))
}

/// The environment of a new credential: the caller's own, unless named.
pub(super) fn environment_of_new(
    caller: &Caller,
    named: Option<&str>,
    wrong: &mut Vec<FieldError>,
) -> Option<Environment> {
    match named {
        Some(name) => input::environment(name).map_err(|error| wrong.extend(field_errors(error))).ok(),
        None => caller.environment(),
    }
}

impl Services {
    /// The customers of a new credential: the caller's own, unless named.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn customers_of_new(
        &self,
        caller: &Caller,
        named: Patch<Vec<String>>,
        wrong: &mut Vec<FieldError>,
    ) -> Result<Vec<CustomerId>, ServiceError> {
        match self.customers_named(caller, named).await {
            Ok(customers) => Ok(customers.unwrap_or_else(|| caller.customers().to_vec())),
            Err(ServiceError::Invalid(fields)) => {
                wrong.extend(fields);
                Ok(vec![])
            }
            Err(error) => Err(error),
        }
    }

    /// The owner of a new credential: the caller's own. Another is named by who stands under no owner's role, or an owner.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn owner_of_new(
        &self,
        caller: &Caller,
        named: Option<&str>,
        wrong: &mut Vec<FieldError>,
    ) -> Result<Option<UserId>, ServiceError> {
        let Some(name) = named else { return Ok(caller.owner().cloned()) };
        match self.user_named(caller, name).await {
            Ok(owner) if caller.may_release() || caller.owner() == Some(&owner) => Ok(Some(owner)),
            Ok(_) => {
                wrong.push(FieldError::new("owner", "must be the caller's own owner"));
                Ok(None)
            }
            Err(ServiceError::Invalid(fields)) => {
                wrong.extend(fields);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The customers that are named by either id; `None` where the field is not mentioned.
    ///
    /// # Errors
    /// There is no such customer, as far as the caller sees; the database fails.
    pub(super) async fn customers_named(
        &self,
        caller: &Caller,
        named: Patch<Vec<String>>,
    ) -> Result<Option<Vec<CustomerId>>, ServiceError> {
        let texts = match named {
            Patch::Keep => return Ok(None),
            Patch::Clear => return Ok(Some(vec![])),
            Patch::Set(texts) => texts,
        };
        if texts.len() > CUSTOMERS_MAX {
            return Err(ServiceError::invalid("customers", format!("must have at most {CUSTOMERS_MAX} entries")));
        }
        let caller = caller.clone();
        self.store
            .read(move |connection| {
                let mut found: Vec<CustomerId> = Vec::with_capacity(texts.len());
                for name in &texts {
                    let customer = customers::find_named(connection, name)?
                        .filter(|customer| caller.sees_customers(std::slice::from_ref(&customer.id)));
                    let Some(customer) = customer else {
                        let wrong = format!("names no customer: {}", input::shown(name));
                        return Err(ServiceError::invalid("customers", wrong));
                    };
                    if !found.contains(&customer.id) {
                        found.push(customer.id);
                    }
                }
                // In the order in which the database gives them.
                found.sort();
                Ok(Some(found))
            })
            .await
    }

    /// The user that is named by id or e-mail address.
    ///
    /// # Errors
    /// There is no such user, as far as the caller sees: itself belonging to one, it sees that one; the database fails.
    pub async fn user_named(&self, caller: &Caller, name: &str) -> Result<UserId, ServiceError> {
        let (caller, name) = (caller.clone(), name.to_owned());
        self.store
            .read(move |connection| {
                users::find_named(connection, &name)?
                    .map(|user| user.id)
                    .filter(|user| caller.sees_users() || caller.owner() == Some(user))
                    .ok_or_else(|| ServiceError::invalid("owner", "names no user"))
            })
            .await
    }

    /// What a credential is handed over to: a user, or the organisation where none is named. That takes a caller who reaches
    /// all credentials with `permission`, and out of the reach of an owner's role who stands under none, or an owner.
    ///
    /// # Errors
    /// There is no such user, or the caller may not; the database fails.
    pub(super) async fn new_owner(
        &self,
        caller: &Caller,
        permission: &str,
        named: Option<&str>,
    ) -> Result<Option<UserId>, ServiceError> {
        if caller.only_owner(permission).is_some() || (named.is_none() && !caller.may_release()) {
            return Err(ServiceError::ScopeExceedsCaller);
        }
        match named {
            Some(name) => Ok(Some(self.user_named(caller, name).await?)),
            None => Ok(None),
        }
    }
}
