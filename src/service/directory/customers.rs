//! The use cases of customers, the tenants of the operator's own platform.

use std::sync::Arc;

use super::{Directory, taken};
use crate::crypto::random;
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::customer::{Customer, CustomerChanges, CustomerFilter, NewCustomer};
use crate::domain::ids::CustomerId;
use crate::domain::metadata::{Metadata, MetadataChanges};
use crate::domain::patch::Patch;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::{Conflict, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{AnyConnection, customers};

const NO_CUSTOMER: ServiceError = ServiceError::NotFound("customer");

/// Finds a customer by id or external id, if it is visible to the caller.
fn find(connection: &mut AnyConnection, caller: &Caller, name: &str) -> Result<Customer, ServiceError> {
    customers::find_named(connection, name)?
        .filter(|customer| caller.sees_customers(std::slice::from_ref(&customer.id)))
        .ok_or(NO_CUSTOMER)
}

fn patched(metadata: &Metadata, changes: Patch<MetadataChanges>) -> Result<Metadata, ServiceError> {
    metadata.patched(changes).map_err(|wrong| ServiceError::invalid("metadata", wrong))
}

impl Directory {
    /// Creates a customer with an external id that no other has or had.
    ///
    /// # Errors
    /// Another customer has or had the external id, or the caller is tied to customers.
    pub async fn create_customer(
        &self,
        caller: &Caller,
        new: NewCustomer,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<Customer, ServiceError> {
        let now = self.recorder.now();
        let id: CustomerId = random::id(now)?;
        let action = Action::CustomerCreate;
        let context = self.shared_context(caller, action, id.as_str(), origin).await?;
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            let id = replay.object;
            let context = context.on(&id);
            return self
                .recorder
                .replay(caller, &context, Disposition::Created, move |found, caller| {
                    find(found, caller, &id).map_err(ServiceError::or_gone)
                })
                .await;
        }
        let (idempotency, is_tied) = (Arc::clone(&self.idempotency), !caller.customers().is_empty());
        self.recorder
            .change(caller, context, Disposition::Created, move |transaction, _, _, now| {
                if is_tied {
                    return Err(ServiceError::ScopeExceedsCaller);
                }
                let NewCustomer { external_id, name, metadata } = new;
                let metadata = patched(&Metadata::default(), metadata)?;
                let customer =
                    Customer { id, external_id, name, metadata, is_suspended: false, created_at: now, updated_at: now };
                customers::insert(transaction.connection, &customer).map_err(taken(Conflict::ExternalIdTaken))?;
                idempotency.keep(transaction, repeat.as_ref(), (action, customer.id.as_str()), None, now)?;
                Ok(customer)
            })
            .await
    }

    /// Updates a customer, which `name` names by id or external id. Its external id is fixed: APIs decide by it.
    ///
    /// # Errors
    /// The customer is not visible to the caller, or it would have too much metadata.
    pub async fn update_customer(
        &self,
        caller: &Caller,
        name: &str,
        changes: CustomerChanges,
        origin: Arc<Origin>,
    ) -> Result<Customer, ServiceError> {
        self.change_customer(caller, Action::CustomerUpdate, name, origin, move |customer, now| {
            customer.name = changes.name.unwrap_or_else(|| customer.name.clone());
            customer.metadata = patched(&customer.metadata, changes.metadata)?;
            customer.updated_at = now;
            Ok(())
        })
        .await
    }

    /// Suspends a customer, which `name` names by id or external id, or resumes it. Doing it again changes nothing.
    ///
    /// # Errors
    /// The customer is not visible to the caller.
    pub async fn suspend_customer(
        &self,
        caller: &Caller,
        name: &str,
        suspended: bool,
        origin: Arc<Origin>,
    ) -> Result<Customer, ServiceError> {
        let action = if suspended { Action::CustomerSuspend } else { Action::CustomerResume };
        self.change_customer(caller, action, name, origin, move |customer, now| {
            if customer.is_suspended != suspended {
                customer.is_suspended = suspended;
                customer.updated_at = now;
            }
            Ok(())
        })
        .await
    }

    async fn change_customer(
        &self,
        caller: &Caller,
        action: Action,
        name: &str,
        origin: Arc<Origin>,
        change: impl FnOnce(&mut Customer, Timestamp) -> Result<(), ServiceError> + Send + 'static,
    ) -> Result<Customer, ServiceError> {
        let context = self.shared_context(caller, action, name, origin).await?;
        let name = name.to_owned();
        let customer = self
            .recorder
            .change(caller, context, Disposition::Ok, move |transaction, _, caller, now| {
                let mut customer = find(transaction.connection, caller, &name)?;
                change(&mut customer, now)?;
                customers::update(transaction.connection, &customer)?;
                transaction.announce(now, ChangeKind::Customer, customer.id.as_str())?;
                Ok(customer)
            })
            .await?;
        self.customers.drop_entry(customer.id.as_str());
        Ok(customer)
    }

    /// Deletes a customer that no credential is tied to. Its audit events remain, and its external id is not given
    /// again.
    ///
    /// # Errors
    /// The customer is not visible to the caller, or credentials are tied to it.
    pub async fn delete_customer(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<(), ServiceError> {
        let context = self.shared_context(caller, Action::CustomerDelete, name, origin).await?;
        let name = name.to_owned();
        let id = self
            .recorder
            .change(caller, context, Disposition::NoContent, move |transaction, _, caller, now| {
                let customer = find(transaction.connection, caller, &name)?;
                if customers::is_in_use(transaction.connection, &customer.id)? {
                    return Err(Conflict::CustomerInUse.into());
                }
                customers::remove(transaction.connection, &customer, now)?;
                transaction.announce(now, ChangeKind::Customer, customer.id.as_str())?;
                Ok(customer.id)
            })
            .await?;
        self.customers.drop_entry(id.as_str());
        Ok(())
    }

    /// Gets a customer by id or external id.
    ///
    /// # Errors
    /// The customer is not visible to the caller.
    pub async fn customer(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<Customer, ServiceError> {
        let context = AuditContext::of(caller, Action::CustomerRead, origin).on(name);
        let name = name.to_owned();
        self.recorder.read(caller, &context, move |connection, caller| find(connection, caller, &name)).await
    }

    /// Lists customers that are visible to the caller, newest first.
    ///
    /// # Errors
    /// The audit event cannot be stored.
    pub async fn list_customers(
        &self,
        caller: &Caller,
        mut filter: CustomerFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<Customer>, ServiceError> {
        let context = AuditContext::of(caller, Action::CustomerList, origin);
        filter.among = caller.customers().to_vec();
        self.recorder
            .read(caller, &context, move |connection, _| Ok(customers::list(connection, &filter, limit)?))
            .await
    }
}
