//! Customers that credentials are tied to.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::credential_customers as ties;
use super::{AnyConnection, StoreError, damaged};
use crate::domain::ids::CustomerId;

/// A row of the table `credential_customers`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize, Clone)]
#[diesel(table_name = ties)]
pub struct Tie {
    pub(super) customer: String,
    pub(super) credential: String,
    #[serde(default)]
    pub(super) sequence: i64,
}

/// The customers of a credential.
#[derive(Debug, Default)]
pub struct Ties {
    /// The customers, in the order in which they were created.
    pub customers: Vec<CustomerId>,
    /// The number of the change that tied the credential to them.
    pub sequence: i64,
}

/// Ties a credential to exactly these customers, replacing earlier ones. All ties get the number of this change, also
/// those that were there: an epoch whose caller could not see the credential as it was must not reach it now.
pub fn set(
    connection: &mut AnyConnection,
    credential: &str,
    customers: &[CustomerId],
    sequence: i64,
) -> Result<(), StoreError> {
    diesel::delete(ties::table.filter(ties::credential.eq(credential))).execute(connection)?;
    insert_all(connection, credential, customers, sequence)
}

/// Ties a new credential to these customers.
pub(super) fn insert_all(
    connection: &mut AnyConnection,
    credential: &str,
    customers: &[CustomerId],
    sequence: i64,
) -> Result<(), StoreError> {
    for customer in customers {
        let tie = Tie { customer: customer.to_string(), credential: credential.to_owned(), sequence };
        diesel::insert_into(ties::table).values(tie).execute(connection)?;
    }
    Ok(())
}

/// Returns the customers of a credential.
///
/// # Errors
/// A row is damaged.
pub fn of(connection: &mut AnyConnection, credential: &str) -> Result<Ties, StoreError> {
    Ok(of_each(connection, [credential])?.remove(credential).unwrap_or_default())
}

/// Returns the customers of each of these credentials that is tied to any.
///
/// # Errors
/// A row is damaged.
pub fn of_each<'c>(
    connection: &mut AnyConnection,
    credentials: impl IntoIterator<Item = &'c str>,
) -> Result<HashMap<String, Ties>, StoreError> {
    let credentials: Vec<&str> = credentials.into_iter().collect();
    let rows: Vec<Tie> = ties::table
        .filter(ties::credential.eq_any(credentials))
        .order(ties::customer.asc())
        .select(Tie::as_select())
        .load(connection)?;
    let mut found: HashMap<String, Ties> = HashMap::new();
    for Tie { customer, credential, sequence } in rows {
        let customer = customer.parse().map_err(|_| damaged("credential_customers", &credential, "customer"))?;
        let ties = found.entry(credential).or_default();
        ties.customers.push(customer);
        ties.sequence = ties.sequence.max(sequence);
    }
    Ok(found)
}
