//! Lists of credentials.

use std::collections::HashMap;

use diesel::dsl::{AsSelect, SqlTypeOf, not};
use diesel::prelude::*;

use super::credential_rows::{CredentialRow, SecretRow};
use super::schema::{credential_customers as ties, credential_secrets, credentials, customers};
use super::{AnyConnection, StoreError, credential_customers, epoch_rows, epochs};
use crate::domain::credential::{Credential, CredentialFilter, Status};
use crate::domain::epoch::Epoch;
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;

type Backend = <AnyConnection as diesel::Connection>::Backend;
/// Credentials with the conditions of a filter.
type Query<'f> = credentials::BoxedQuery<'f, Backend, SqlTypeOf<AsSelect<CredentialRow, Backend>>>;

/// Lists credentials that pass `filter`, newest first, at most `limit`, as they are under all epochs. Damaged rows are
/// logged and left out.
pub fn list(
    connection: &mut AnyConnection,
    filter: &CredentialFilter,
    limit: i64,
) -> Result<Vec<Credential>, StoreError> {
    // Before the rows: an epoch that is expanded in between has changed them.
    let open = epochs::open(connection)?;
    let mut query = credentials::table
        .select(CredentialRow::as_select())
        .filter(credentials::kind.eq(filter.kind.as_str()))
        .order(credentials::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(environment) = filter.environment {
        query = query.filter(credentials::environment.eq(environment.as_str()));
    }
    if let Some(name) = &filter.name {
        query = query.filter(credentials::name.eq(name));
    }
    if let Some(key_type) = filter.key_type {
        query = query.filter(credentials::key_type.eq(key_type.as_str()));
    }
    if let Some(before) = &filter.before {
        query = query.filter(credentials::id.lt(before.as_str()));
    }
    let query = filter_by_state(filter_by_ownership(query, filter), filter, &open);
    let rows: Vec<CredentialRow> = query.load(connection)?;
    let mut credentials = into_credentials(connection, rows)?;
    for credential in &mut credentials {
        credential.apply_epochs(&open);
    }
    Ok(credentials)
}

/// Filters by owner, by customer, and by the customers that the caller is tied to.
fn filter_by_ownership<'f>(mut query: Query<'f>, filter: &'f CredentialFilter) -> Query<'f> {
    if let Some(owner) = &filter.owner {
        query = query.filter(credentials::owner.eq(owner.as_str()));
    }
    if let Some(customer) = &filter.customer {
        let named = customers::table
            .filter(customers::id.eq(customer).or(customers::external_id.eq(customer)))
            .select(customers::id);
        let tied = ties::table.filter(ties::customer.eq_any(named)).select(ties::credential);
        query = query.filter(credentials::id.eq_any(tied));
    }
    if !filter.within.is_empty() {
        let own: Vec<&str> = filter.within.iter().map(CustomerId::as_str).collect();
        let tied = ties::table.filter(ties::customer.eq_any(own.clone())).select(ties::credential);
        let others = ties::table.filter(ties::customer.ne_all(own)).select(ties::credential);
        query = query.filter(credentials::id.eq_any(tied)).filter(credentials::id.ne_all(others));
    }
    query
}

/// Filters by status, and by whether the credential is due for rotation.
fn filter_by_state<'f>(mut query: Query<'f>, filter: &CredentialFilter, open: &'f [Epoch]) -> Query<'f> {
    let has_ended = |now: Timestamp| {
        credentials::expires_at.is_not_null().and(credentials::expires_at.assume_not_null().le(now.millis()))
    };
    if let Some((status, now)) = filter.status {
        query = match status {
            Status::Revoked => match epoch_rows::are_ended(open) {
                Some(are_ended) => query.filter(credentials::state.eq("revoked").or(are_ended)),
                None => query.filter(credentials::state.eq("revoked")),
            },
            Status::Expired => query.filter(credentials::state.ne("revoked")).filter(has_ended(now)),
            Status::Inactive => query.filter(credentials::state.eq("disabled")).filter(not(has_ended(now))),
            Status::Active => query.filter(credentials::state.eq("enabled")).filter(not(has_ended(now))),
        };
        if let Some(are_ended) = epoch_rows::are_ended(open).filter(|_| status != Status::Revoked) {
            query = query.filter(not(are_ended));
        }
    }
    if let Some(due) = filter.due {
        let is_old = credentials::rotated_at.le(due.rotated_before.millis());
        let is_due = is_old.and(credentials::state.ne("revoked")).and(not(has_ended(due.now)));
        query = match (due.is_due, epoch_rows::are_ended(open)) {
            (true, None) => query.filter(is_due),
            (true, Some(are_ended)) => query.filter(is_due).filter(not(are_ended)),
            (false, None) => query.filter(not(is_due)),
            (false, Some(are_ended)) => query.filter(not(is_due).or(are_ended)),
        };
    }
    query
}

/// Reads the secrets and customers of rows, with one query each.
fn into_credentials(connection: &mut AnyConnection, rows: Vec<CredentialRow>) -> Result<Vec<Credential>, StoreError> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let found: Vec<SecretRow> = credential_secrets::table
        .filter(credential_secrets::credential.eq_any(ids.clone()))
        .order((credential_secrets::created_at.desc(), credential_secrets::id.desc()))
        .select(SecretRow::as_select())
        .load(connection)?;
    let mut customers = credential_customers::of_each(connection, ids)?;
    let mut secrets: HashMap<String, Vec<SecretRow>> = HashMap::new();
    for secret in found {
        secrets.entry(secret.credential.clone()).or_default().push(secret);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let own = secrets.remove(&row.id).unwrap_or_default();
            let customers = customers.remove(&row.id).unwrap_or_default();
            row.into_credential(own, customers).inspect_err(|error| log::error!("{error}")).ok()
        })
        .collect())
}
