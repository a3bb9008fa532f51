//! Which customers credentials are tied to.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::credential_customers as ties;
use super::{AnyConnection, StoreError, damaged};
use crate::domain::ids::CustomerId;

/// Rows read at once.
const STEP: i64 = 500;

/// A credential is tied to a customer.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize, Clone)]
#[diesel(table_name = ties)]
pub struct Tie {
    customer: String,
    credential: String,
}

/// Ties a credential to exactly these customers.
///
/// # Errors
/// The database fails.
pub fn set(connection: &mut AnyConnection, credential: &str, customers: &[CustomerId]) -> Result<(), StoreError> {
    diesel::delete(ties::table.filter(ties::credential.eq(credential))).execute(connection)?;
    for customer in customers {
        insert(connection, &Tie { customer: customer.to_string(), credential: credential.to_owned() })?;
    }
    Ok(())
}

/// Stores one tie.
///
/// # Errors
/// The database fails.
pub fn insert(connection: &mut AnyConnection, tie: &Tie) -> Result<(), StoreError> {
    diesel::insert_into(ties::table).values(tie.clone()).execute(connection)?;
    Ok(())
}

/// The customers of a credential, in the order in which they were entered.
///
/// # Errors
/// The database fails, or a row is damaged.
pub fn of(connection: &mut AnyConnection, credential: &str) -> Result<Vec<CustomerId>, StoreError> {
    Ok(of_each(connection, [credential])?.remove(credential).unwrap_or_default())
}

/// The customers of each of these credentials that has any.
///
/// # Errors
/// The database fails, or a row is damaged.
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

/// Hands on every tie, and says how many there are.
///
/// # Errors
/// The database fails, or `take` does.
pub fn for_each(
    connection: &mut AnyConnection,
    take: &mut impl FnMut(&Tie) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut count = 0;
    let mut last: Option<Tie> = None;
    loop {
        let mut query = ties::table.order((ties::customer.asc(), ties::credential.asc())).limit(STEP).into_boxed();
        if let Some(Tie { customer, credential }) = last.take() {
            query = query.filter(
                ties::customer
                    .gt(customer.clone())
                    .or(ties::customer.eq(customer).and(ties::credential.gt(credential))),
            );
        }
        let rows: Vec<Tie> = query.select(Tie::as_select()).load(connection)?;
        for row in &rows {
            take(row)?;
            count += 1;
        }
        last = rows.into_iter().next_back();
        if last.is_none() {
            return Ok(count);
        }
    }
}
