//! Resolves the owners and customers that callers name, as far as they are visible to the caller: in the transaction of
//! the change, since either may change until then.

use super::Credentials;
use crate::domain::caller::Caller;
use crate::domain::credential::{CUSTOMERS_MAX, CredentialFilter};
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::patch::Patch;
use crate::domain::text;
use crate::service::error::{FieldError, ServiceError};
use crate::store::{AnyConnection, customers, users};

/// Narrows `filter` to credentials that the caller reaches with `permission`; `None` if there can be none.
pub(super) fn visible(caller: &Caller, permission: &str, mut filter: CredentialFilter) -> Option<CredentialFilter> {
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

/// Returns the error of a caller who is tied to customers and would tie a credential to others, or to none.
pub(super) fn customers_error(caller: &Caller, customers: &[CustomerId]) -> Option<FieldError> {
    let wrong = "must be among the customers that the caller is tied to";
    (!caller.sees_customers(customers)).then(|| FieldError::new("customers", wrong))
}

/// Returns the value that was found; invalid fields are added to `wrong`.
pub(super) fn resolved<T>(
    found: Result<T, ServiceError>,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<T>, ServiceError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ServiceError::Invalid(fields)) => {
            wrong.extend(fields);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The owner and the customers that a new credential is to have, as they are named.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// The owner, by id or e-mail address; the caller's own if `None`.
    pub owner: Option<String>,
    /// The customers, by id or external id; the caller's own unless they are set.
    pub customers: Patch<Vec<String>>,
}

/// The owner and the customers of a new credential.
pub(super) type Resolved = (Option<UserId>, Vec<CustomerId>);

impl Named {
    /// Finds them, and returns the fields that name what is not visible to the caller, or another owner than the
    /// caller may name: one without owner, or with the role `owner`, may name any.
    pub(super) fn resolve(
        &self,
        connection: &mut AnyConnection,
        caller: &Caller,
    ) -> Result<(Resolved, Vec<FieldError>), ServiceError> {
        let mut wrong = Vec::new();
        let customers = resolved(customers_named(connection, caller, &self.customers), &mut wrong)?.flatten();
        let owner = resolved(self.owner(connection, caller), &mut wrong)?.flatten();
        Ok(((owner, customers.unwrap_or_else(|| caller.customers().to_vec())), wrong))
    }

    fn owner(&self, connection: &mut AnyConnection, caller: &Caller) -> Result<Option<UserId>, ServiceError> {
        let Some(name) = &self.owner else { return Ok(caller.owner().cloned()) };
        let owner = user_named(connection, caller, name)?;
        if caller.may_release() || caller.owner() == Some(&owner) {
            return Ok(Some(owner));
        }
        Err(ServiceError::invalid("owner", "must be the caller's own owner"))
    }
}

/// Finds the customers that a field names by id or external id; `None` if the field is absent.
pub(super) fn customers_named(
    connection: &mut AnyConnection,
    caller: &Caller,
    named: &Patch<Vec<String>>,
) -> Result<Option<Vec<CustomerId>>, ServiceError> {
    let names = match named {
        Patch::Keep => return Ok(None),
        Patch::Clear => &[],
        Patch::Set(names) => names.as_slice(),
    };
    if names.len() > CUSTOMERS_MAX {
        return Err(ServiceError::invalid("customers", format!("must have at most {CUSTOMERS_MAX} entries")));
    }
    let mut found: Vec<CustomerId> = Vec::with_capacity(names.len());
    for name in names {
        let customer = customers::find_named(connection, name)?
            .filter(|customer| caller.sees_customers(std::slice::from_ref(&customer.id)));
        let Some(customer) = customer else {
            let wrong = format!("is not the id of a customer: {}", text::recordable(name, 60));
            return Err(ServiceError::invalid("customers", wrong));
        };
        if !found.contains(&customer.id) {
            found.push(customer.id);
        }
    }
    // The same order as in the database.
    found.sort();
    Ok(Some(found))
}

/// Finds the user that is named by id or e-mail address.
///
/// # Errors
/// No such user is visible to the caller. To a caller with an owner, that owner is visible.
pub(super) fn user_named(connection: &mut AnyConnection, caller: &Caller, name: &str) -> Result<UserId, ServiceError> {
    users::find_named(connection, name)?
        .map(|user| user.id)
        .filter(|user| caller.sees_users() || caller.owner() == Some(user))
        .ok_or_else(|| ServiceError::invalid("owner", "is not the id or e-mail address of a user"))
}

impl Credentials {
    /// Finds the user that is named by id or e-mail address, to read something of the user.
    ///
    /// # Errors
    /// No such user is visible to the caller.
    pub async fn user_named(&self, caller: &Caller, name: String) -> Result<UserId, ServiceError> {
        let caller = caller.clone();
        self.recorder.store().read(move |connection| user_named(connection, &caller, &name)).await
    }
}
