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
}

/// Ties a credential to exactly these customers, replacing earlier ones.
pub fn set(connection: &mut AnyConnection, credential: &str, customers: &[CustomerId]) -> Result<(), StoreError> {
    diesel::delete(ties::table.filter(ties::credential.eq(credential))).execute(connection)?;
    insert_all(connection, credential, customers)
}

/// Ties a new credential to these customers.
pub(super) fn insert_all(
    connection: &mut AnyConnection,
    credential: &str,
    customers: &[CustomerId],
) -> Result<(), StoreError> {
    for customer in customers {
        let tie = Tie { customer: customer.to_string(), credential: credential.to_owned() };
        diesel::insert_into(ties::table).values(tie).execute(connection)?;
    }
    Ok(())
}

/// Returns the customers of a credential, in the order in which the customers were created.
///
/// # Errors
/// A row is damaged.
pub fn of(connection: &mut AnyConnection, credential: &str) -> Result<Vec<CustomerId>, StoreError> {
    Ok(of_each(connection, [credential])?.remove(credential).unwrap_or_default())
}

/// Returns the customers of each of these credentials that is tied to any.
///
/// # Errors
/// A row is damaged.
pub fn of_each<'c>(
    connection: &mut AnyConnection,
    credentials: impl IntoIterator<Item = &'c str>,
) -> Result<HashMap<String, Vec<CustomerId>>, StoreError> {
    let credentials: Vec<&str> = credentials.into_iter().collect();
    let rows: Vec<Tie> = ties::table
        .filter(ties::credential.eq_any(credentials))
        .order(ties::customer.asc())
        .select(Tie::as_select())
        .load(connection)?;
    let mut found: HashMap<String, Vec<CustomerId>> = HashMap::new();
    for Tie { customer, credential } in rows {
        let customer = customer.parse().map_err(|_| damaged("credential_customers", &credential, "customer"))?;
        found.entry(credential).or_default().push(customer);
    }
    Ok(found)
}
