//! Stores, finds and lists customers.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{credential_customers, customers, deleted_customers};
use super::{AnyConnection, StoreError, damaged, metadata, readable};
use crate::domain::customer::{Customer, CustomerFilter, ExternalId};
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;

/// Customers that one query finds.
const AT_ONCE: usize = 500;

/// A row of the table `customers`.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = customers)]
pub struct CustomerRow {
    pub(super) id: String,
    external_id: String,
    name: String,
    created_at: i64,
    updated_at: i64,
    metadata: String,
    is_suspended: i32,
}

/// A row of the table `deleted_customers`: an external id that is not given again.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = deleted_customers)]
pub struct DeletedCustomerRow {
    pub(super) external_id: String,
    id: String,
    deleted_at: i64,
}

impl CustomerRow {
    fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            external_id: customer.external_id.to_string(),
            name: customer.name.to_string(),
            created_at: customer.created_at.millis(),
            updated_at: customer.updated_at.millis(),
            metadata: metadata::to_column(&customer.metadata),
            is_suspended: customer.is_suspended.into(),
        }
    }

    fn into_customer(self) -> Result<Customer, StoreError> {
        let wrong = |column| damaged("customers", &self.id, column);
        Ok(Customer {
            id: self.id.parse().map_err(|_| wrong("id"))?,
            external_id: self.external_id.parse().map_err(|_| wrong("external_id"))?,
            name: self.name.parse().map_err(|_| wrong("name"))?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            metadata: metadata::from_column(&self.metadata).map_err(|()| wrong("metadata"))?,
            is_suspended: self.is_suspended != 0,
        })
    }
}

/// Stores a new customer.
///
/// # Errors
/// [`StoreError::Duplicate`] if another customer has or had the external id.
pub fn insert(connection: &mut AnyConnection, customer: &Customer) -> Result<(), StoreError> {
    let earlier = deleted_customers::table.find(customer.external_id.as_str());
    if diesel::select(diesel::dsl::exists(earlier)).get_result(connection)? {
        return Err(StoreError::Duplicate);
    }
    diesel::insert_into(customers::table).values(CustomerRow::of(customer)).execute(connection)?;
    Ok(())
}

/// Stores all fields of an existing customer.
pub fn update(connection: &mut AnyConnection, customer: &Customer) -> Result<(), StoreError> {
    diesel::update(customers::table.find(customer.id.as_str())).set(CustomerRow::of(customer)).execute(connection)?;
    Ok(())
}

/// Removes the row of a customer; [`is_in_use`] must be false. Its external id is kept, so that it is not given again:
/// a token or an API that still knows it would take the new customer for the old one.
pub fn remove(connection: &mut AnyConnection, customer: &Customer, now: Timestamp) -> Result<(), StoreError> {
    let row = DeletedCustomerRow {
        external_id: customer.external_id.to_string(),
        id: customer.id.to_string(),
        deleted_at: now.millis(),
    };
    diesel::insert_into(deleted_customers::table).values(row).execute(connection)?;
    diesel::delete(customers::table.find(customer.id.as_str())).execute(connection)?;
    Ok(())
}

/// Returns whether any credential is tied to the customer.
pub fn is_in_use(connection: &mut AnyConnection, id: &CustomerId) -> Result<bool, StoreError> {
    let tied = credential_customers::table.filter(credential_customers::customer.eq(id.as_str()));
    Ok(diesel::select(diesel::dsl::exists(tied)).get_result(connection)?)
}

/// Finds a customer by the id that Sealwright gave it.
///
/// # Errors
/// The row is damaged.
pub fn find(connection: &mut AnyConnection, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
    let row: Option<CustomerRow> =
        customers::table.find(id.as_str()).select(CustomerRow::as_select()).get_result(connection).optional()?;
    row.map(CustomerRow::into_customer).transpose()
}

/// Finds those of these customers that exist. Damaged rows are logged and left out.
pub fn find_all(connection: &mut AnyConnection, ids: &[CustomerId]) -> Result<Vec<Customer>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for step in ids.chunks(AT_ONCE) {
        let names = step.iter().map(CustomerId::as_str);
        let rows: Vec<CustomerRow> =
            customers::table.filter(customers::id.eq_any(names)).select(CustomerRow::as_select()).load(connection)?;
        found.extend(readable(rows.into_iter().map(CustomerRow::into_customer)));
    }
    Ok(found)
}

/// Finds the id of the customer with this external id.
///
/// # Errors
/// The row is damaged.
pub fn id_of(connection: &mut AnyConnection, external_id: &str) -> Result<Option<CustomerId>, StoreError> {
    let id: Option<String> = customers::table
        .filter(customers::external_id.eq(external_id))
        .select(customers::id)
        .first(connection)
        .optional()?;
    id.map(|id| id.parse().map_err(|_| damaged("customers", &id, "id"))).transpose()
}

/// Returns the id that a customer has or had, whom `name` names by either id; `None` if there never was one of this
/// external id.
pub fn id_ever_named(connection: &mut AnyConnection, name: &str) -> Result<Option<String>, StoreError> {
    if name.parse::<CustomerId>().is_ok() {
        return Ok(Some(name.to_owned()));
    }
    if let Some(id) = id_of(connection, name)? {
        return Ok(Some(id.to_string()));
    }
    Ok(deleted_customers::table.find(name).select(deleted_customers::id).get_result(connection).optional()?)
}

/// Finds a customer by its id or its external id.
///
/// # Errors
/// The row is damaged.
pub fn find_named(connection: &mut AnyConnection, name: &str) -> Result<Option<Customer>, StoreError> {
    if let Ok(id) = name.parse() {
        return find(connection, &id);
    }
    let Ok(external_id) = name.parse::<ExternalId>() else { return Ok(None) };
    let row: Option<CustomerRow> = customers::table
        .filter(customers::external_id.eq(external_id.as_str()))
        .select(CustomerRow::as_select())
        .first(connection)
        .optional()?;
    row.map(CustomerRow::into_customer).transpose()
}

/// Lists customers, newest first, at most `limit`. Damaged rows are logged and left out.
pub fn list(connection: &mut AnyConnection, filter: &CustomerFilter, limit: i64) -> Result<Vec<Customer>, StoreError> {
    let mut query =
        customers::table.select(CustomerRow::as_select()).order(customers::id.desc()).limit(limit).into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(customers::external_id.eq(external_id));
    }
    if !filter.among.is_empty() {
        let ids: Vec<String> = filter.among.iter().map(ToString::to_string).collect();
        query = query.filter(customers::id.eq_any(ids));
    }
    if let Some(before) = &filter.before {
        query = query.filter(customers::id.lt(before.to_string()));
    }
    let rows: Vec<CustomerRow> = query.load(connection)?;
    Ok(readable(rows.into_iter().map(CustomerRow::into_customer)))
}
