//! Adds to credentials what they depend on, for callers to see what is in force.

use crate::domain::caller::Caller;
use crate::domain::credential::{Credential, OwnerNames, TiedCredential};
use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::user::User;
use crate::service::error::ServiceError;
use crate::service::state::owners::Allowance;
use crate::store::{AnyConnection, customers};

/// Adds its owner and its customers to a credential.
pub(super) fn tied(
    connection: &mut AnyConnection,
    caller: &Caller,
    credential: Credential,
) -> Result<TiedCredential, ServiceError> {
    let found = all_tied(connection, caller, vec![credential])?.pop();
    found.ok_or_else(|| ServiceError::Internal("a customer of the credential cannot be read".to_owned()))
}

/// Adds their owners and customers to credentials, with a few queries for all of them. A credential is left out if one
/// of its customers cannot be read, which is logged: without it, it would look as if it served others.
pub(super) fn all_tied(
    connection: &mut AnyConnection,
    caller: &Caller,
    credentials: Vec<Credential>,
) -> Result<Vec<TiedCredential>, ServiceError> {
    let mut ids: Vec<CustomerId> = credentials.iter().flat_map(|credential| credential.customers.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = customers::find_all(connection, &ids)?;
    let mut owners: Vec<UserId> = credentials.iter().filter_map(|credential| credential.owner.clone()).collect();
    owners.sort_unstable();
    owners.dedup();
    let owners = Allowance::read_each(connection, &owners)?;
    let tied = credentials.into_iter().map(|credential| {
        let customer = |id: &CustomerId| known.iter().find(|customer| customer.id == *id).cloned();
        let customers: Vec<Customer> = credential.customers.iter().filter_map(customer).collect();
        let of_user = |id: &UserId| owners.iter().find(|(user, _)| user.id == *id);
        let owner = credential.owner.as_ref().map(of_user);
        let allowed = match owner {
            None => Some(credential.scopes.clone()),
            Some(None | Some((_, Allowance::Nothing))) => None,
            Some(Some((_, allowance))) => Some(allowance.cut(&credential.scopes)),
        };
        let owner = owner.flatten().and_then(|(user, _)| names_of(user, caller));
        TiedCredential { credential, customers, owner, allowed }
    });
    Ok(tied.filter(|tied| tied.customers.len() == tied.credential.customers.len()).collect())
}

/// Returns the names of an owner, if the caller may see them.
fn names_of(user: &User, caller: &Caller) -> Option<OwnerNames> {
    let is_visible = caller.sees_users() || caller.owner() == Some(&user.id);
    is_visible.then(|| OwnerNames { email: user.email.clone(), name: user.name.clone() })
}
