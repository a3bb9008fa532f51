//! Customers.

use diesel::prelude::*;

use super::schema::{credential_customers, customers};
use super::{AnyConnection, StoreError, damaged};
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;

type Row = (String, String, String, i64, i64);

fn into_customer((id, external_id, name, created_at, updated_at): Row) -> Result<Customer, StoreError> {
    Ok(Customer {
        id: id.parse().map_err(|_| damaged("customers", &id, "id"))?,
        external_id,
        name,
        created_at: Timestamp::from_millis(created_at),
        updated_at: Timestamp::from_millis(updated_at),
    })
}

/// Enters a customer.
///
/// # Errors
/// [`StoreError::Duplicate`] if another has its external id; the database fails.
pub fn insert(connection: &mut AnyConnection, customer: &Customer) -> Result<(), StoreError> {
    diesel::insert_into(customers::table)
        .values((
            customers::id.eq(customer.id.as_str()),
            customers::external_id.eq(&customer.external_id),
            customers::name.eq(&customer.name),
            customers::created_at.eq(customer.created_at.millis()),
            customers::updated_at.eq(customer.updated_at.millis()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Stores every field of a customer.
///
/// # Errors
/// [`StoreError::Duplicate`] if another has its external id; the database fails.
pub fn update(connection: &mut AnyConnection, customer: &Customer) -> Result<(), StoreError> {
    diesel::update(customers::table.find(customer.id.as_str()))
        .set((
            customers::external_id.eq(&customer.external_id),
            customers::name.eq(&customer.name),
            customers::updated_at.eq(customer.updated_at.millis()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes a customer.
///
/// # Errors
/// The database fails.
pub fn remove(connection: &mut AnyConnection, id: &CustomerId) -> Result<(), StoreError> {
    diesel::delete(customers::table.find(id.as_str())).execute(connection)?;
    Ok(())
}

/// Whether any credential is tied to the customer.
///
/// # Errors
/// The database fails.
pub fn is_in_use(connection: &mut AnyConnection, id: &CustomerId) -> Result<bool, StoreError> {
    let tied = credential_customers::table.filter(credential_customers::customer.eq(id.as_str()));
    Ok(diesel::select(diesel::dsl::exists(tied)).get_result(connection)?)
}

/// The customer with this id of ours.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find(connection: &mut AnyConnection, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
    let row: Option<Row> = customers::table.find(id.as_str()).first(connection).optional()?;
    row.map(into_customer).transpose()
}

/// The customer that `name` names by either of its ids.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find_named(connection: &mut AnyConnection, name: &str) -> Result<Option<Customer>, StoreError> {
    if let Ok(id) = name.parse() {
        return find(connection, &id);
    }
    // PostgreSQL has no text with a NUL, and refuses to be asked for one.
    if name.contains('\0') {
        return Ok(None);
    }
    let row: Option<Row> = customers::table.filter(customers::external_id.eq(name)).first(connection).optional()?;
    row.map(into_customer).transpose()
}

/// Which customers to list.
#[derive(Clone, Debug, Default)]
pub struct CustomerFilter {
    /// The one with this external id.
    pub external_id: Option<String>,
    /// Only these; all, if empty.
    pub among: Vec<CustomerId>,
    /// Entered before the customer with this id.
    pub before: Option<CustomerId>,
}

/// Customers, newest first, at most `limit`.
///
/// # Errors
/// The database fails.
pub fn list(connection: &mut AnyConnection, filter: &CustomerFilter, limit: i64) -> Result<Vec<Customer>, StoreError> {
    let mut query = customers::table.order(customers::id.desc()).limit(limit).into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(customers::external_id.eq(external_id.clone()));
    }
    if !filter.among.is_empty() {
        let ids: Vec<String> = filter.among.iter().map(ToString::to_string).collect();
        query = query.filter(customers::id.eq_any(ids));
    }
    if let Some(before) = &filter.before {
        query = query.filter(customers::id.lt(before.to_string()));
    }
    let rows: Vec<Row> = query.load(connection)?;
    Ok(rows.into_iter().filter_map(|row| into_customer(row).inspect_err(|error| log::error!("{error}")).ok()).collect())
}
