//! Customers: the tenants of the company's own platform. What all environments share is managed from production.

use std::sync::Arc;

use super::Services;
use super::error::{FieldError, ServiceError};
use super::idempotency::Repeat;
use super::input::{Patch, checked};
use super::trail::Trail;
use crate::clock;
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::customer::{self, Customer};
use crate::domain::ids::CustomerId;
use crate::domain::text;
use crate::store::change_log::Kind;
use crate::store::customers::{self, CustomerFilter};
use crate::store::{AnyConnection, StoreError};

const NO_CUSTOMER: ServiceError = ServiceError::NotFound("customer");
const TAKEN: ServiceError =
    ServiceError::Conflict { code: "external_id_taken", message: "another customer has this external id" };

/// The fields of a customer as they come from outside.
#[derive(Clone, Debug, Default)]
pub struct CustomerInput {
    /// Its id on the company's platform.
    pub external_id: Patch<String>,
    /// What people call it.
    pub name: Patch<String>,
}

struct CustomerPatch {
    external_id: Option<String>,
    name: Option<String>,
}

impl CustomerInput {
    fn read(self, is_new: bool) -> Result<CustomerPatch, ServiceError> {
        let mut wrong = Vec::new();
        if is_new {
            let missing = [("external_id", &self.external_id), ("name", &self.name)];
            for (field, _) in missing.into_iter().filter(|(_, value)| **value == Patch::Keep) {
                wrong.push(FieldError::new(field, "is required"));
            }
        }
        let patch = CustomerPatch {
            external_id: self
                .external_id
                .read("external_id", &mut wrong, |text| checked(&text, customer::external_id))
                .required("external_id", &mut wrong),
            name: self.name.read("name", &mut wrong, |text| checked(&text, text::name)).required("name", &mut wrong),
        };
        if wrong.is_empty() { Ok(patch) } else { Err(ServiceError::Invalid(wrong)) }
    }
}

/// The customer that `name` names by either id, as far as the caller sees.
fn find(connection: &mut AnyConnection, caller: &Caller, name: &str) -> Result<Customer, ServiceError> {
    customers::find_named(connection, name)?
        .filter(|customer| caller.sees_customers(std::slice::from_ref(&customer.id)))
        .ok_or(NO_CUSTOMER)
}

fn taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Duplicate => TAKEN,
        other => other.into(),
    }
}

impl Services {
    /// Enters a customer.
    ///
    /// # Errors
    /// What is wrong with the input, or another customer has the external id.
    pub async fn create_customer(
        &self,
        caller: &Caller,
        input: CustomerInput,
        repeat: Repeat<Customer>,
        origin: Arc<Origin>,
    ) -> Result<Customer, ServiceError> {
        let id: CustomerId = random::id(clock::now())?;
        let trail = self.shared_trail(caller, "customer.create", id.as_str(), origin).await?;
        let (patch, vault, is_tied) = (input.read(true), Arc::clone(&self.vault), !caller.customers().is_empty());
        self.change(trail, 201, move |transaction, _, now| {
            let CustomerPatch { external_id: Some(external_id), name: Some(name) } = patch? else {
                return Err(ServiceError::Internal("a new customer has no name".to_owned()));
            };
            if is_tied {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            let customer = Customer { id, external_id, name, created_at: now, updated_at: now };
            customers::insert(transaction.connection, &customer).map_err(taken)?;
            if let Some((request, render)) = repeat {
                request.keep(transaction, &vault, now, &render(&customer, now))?;
            }
            Ok(customer)
        })
        .await
    }

    /// Changes a customer, which `name` names by either id.
    ///
    /// # Errors
    /// No such customer, what is wrong with the input, or another customer has the external id.
    pub async fn update_customer(
        &self,
        caller: &Caller,
        name: &str,
        input: CustomerInput,
        origin: Arc<Origin>,
    ) -> Result<Customer, ServiceError> {
        let trail = self.shared_trail(caller, "customer.update", name, origin).await?;
        let (own, name, patch) = (caller.clone(), name.to_owned(), input.read(false));
        let customer = self
            .change(trail, 200, move |transaction, _, now| {
                let mut customer = find(transaction.connection, &own, &name)?;
                let patch = patch?;
                customer.external_id = patch.external_id.unwrap_or(customer.external_id);
                customer.name = patch.name.unwrap_or(customer.name);
                customer.updated_at = now;
                customers::update(transaction.connection, &customer).map_err(taken)?;
                transaction.announce(now, Kind::Customer, customer.id.as_str())?;
                Ok(customer)
            })
            .await?;
        self.customers.forget(customer.id.as_str());
        Ok(customer)
    }

    /// Removes a customer that no credential is tied to; its audit events stay.
    ///
    /// # Errors
    /// No such customer, or credentials are tied to it.
    pub async fn delete_customer(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<(), ServiceError> {
        let trail = self.shared_trail(caller, "customer.delete", name, origin).await?;
        let (own, name) = (caller.clone(), name.to_owned());
        self.change(trail, 204, move |transaction, _, now| {
            let customer = find(transaction.connection, &own, &name)?;
            if customers::is_in_use(transaction.connection, &customer.id)? {
                return Err(ServiceError::Conflict {
                    code: "customer_in_use",
                    message: "credentials are tied to this customer",
                });
            }
            customers::remove(transaction.connection, &customer.id)?;
            transaction.announce(now, Kind::Customer, customer.id.as_str())?;
            Ok(())
        })
        .await
    }

    /// The customer that `name` names by either id.
    ///
    /// # Errors
    /// No such customer, as far as the caller sees.
    pub async fn customer(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<Customer, ServiceError> {
        let mut trail = Trail::of(caller, "customer.read", origin);
        trail.target = Some(text::recordable(name, 128).into());
        let (own, name) = (caller.clone(), name.to_owned());
        self.reading(trail, move |connection| find(connection, &own, &name)).await
    }

    /// Customers that the caller sees, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_customers(
        &self,
        caller: &Caller,
        mut filter: CustomerFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<Customer>, ServiceError> {
        let trail = Trail::of(caller, "customer.list", origin);
        filter.among = caller.customers().to_vec();
        self.reading(trail, move |connection| Ok(customers::list(connection, &filter, limit)?)).await
    }

    /// The external id of a customer; empty for one that is not there.
    pub(super) async fn external_id(&self, id: &CustomerId) -> Result<Arc<str>, StoreError> {
        let known = if let Some(known) = self.customers.at_hand(id.as_str()) {
            Some(known)
        } else {
            let wanted = id.clone();
            let query = self.store.read(move |connection| customers::find(connection, &wanted));
            self.customers.fetch(id.shared(), query).await?
        };
        Ok(known.map_or_else(|| "".into(), |customer| customer.external_id.as_str().into()))
    }
}
