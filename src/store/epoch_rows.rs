//! Finds the rows of credentials that epochs end, counts them, and expands epochs into them.

use diesel::dsl::{exists, not, sql};
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::epochs::{self, Counts, StoredEpoch};
use super::schema::{credential_customers as ties, credential_secrets as secrets, credentials};
use super::{AnyConnection, StoreError};
use crate::domain::credential::CredentialKind;
use crate::domain::environment::Environment;
use crate::domain::epoch::{Epoch, Extent};
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;

type Backend = <AnyConnection as diesel::Connection>::Backend;
/// A condition on credentials.
type Condition<'c> = Box<dyn BoxableExpression<credentials::table, Backend, SqlType = Bool> + 'c>;

/// The condition that one of `epochs` ends a credential; `None` if there are none. It says in SQL what [`Epoch::ends`]
/// says.
pub(super) fn are_ended(epochs: &[Epoch]) -> Option<Condition<'_>> {
    let mut each = epochs.iter().map(|epoch| are_within(&epoch.extent, epoch.sequence));
    let first = each.next()?;
    Some(each.fold(first, |any, one| Box::new(any.or(one))))
}

/// The condition that a credential is one of `extent`, by changes with lower numbers than `before`.
fn are_within(extent: &Extent, before: i64) -> Condition<'_> {
    let Extent { environment, owner, customer, within } = extent;
    let mut all: Condition<'_> = Box::new(credentials::created_sequence.lt(before));
    if let Some(environment) = environment {
        all = Box::new(all.and(credentials::environment.eq(environment.as_str())));
    }
    if let Some(owner) = owner {
        let is_owner = credentials::owner.is_not_null().and(credentials::owner.assume_not_null().eq(owner.as_str()));
        all = Box::new(all.and(is_owner).and(credentials::owner_sequence.lt(before)));
    }
    if let Some(customer) = customer {
        let tied = ties::table.filter(ties::customer.eq(customer.as_str())).filter(ties::sequence.lt(before));
        all = Box::new(all.and(credentials::id.eq_any(tied.select(ties::credential))));
    }
    if !within.is_empty() {
        let own: Vec<&str> = within.iter().map(CustomerId::as_str).collect();
        let tied = ties::table.filter(ties::customer.eq_any(own.clone())).filter(ties::sequence.lt(before));
        let of_others = ties::table.filter(ties::credential.eq(credentials::id)).filter(ties::customer.ne_all(own));
        let are_tied = credentials::id.eq_any(tied.select(ties::credential));
        all = Box::new(all.and(are_tied).and(not(exists(of_others))));
    }
    all
}

/// The condition that a row shows a credential as not revoked: a literal, so that both databases use the index of
/// these.
fn are_living() -> diesel::expression::SqlLiteral<Bool> {
    sql::<Bool>("credentials.state <> 'revoked'")
}

/// Counts the credentials that an epoch with `extent` would end now: only those used since `used_since`, if that is
/// given.
///
/// # Errors
/// An epoch is damaged.
pub fn count(
    connection: &mut AnyConnection,
    extent: &Extent,
    used_since: Option<Timestamp>,
) -> Result<Counts, StoreError> {
    let open = epochs::open(connection)?;
    let mut of = |kind: CredentialKind| -> Result<i64, StoreError> {
        let mut query = credentials::table
            .filter(credentials::kind.eq(kind.as_str()))
            .filter(are_living())
            .select(diesel::dsl::count_star())
            .into_boxed();
        query = match extent {
            // Nothing but the index of living credentials is needed.
            Extent { environment: Some(environment), owner: None, customer: None, within } if within.is_empty() => {
                query.filter(credentials::environment.eq(environment.as_str()))
            }
            extent => query.filter(are_within(extent, i64::MAX)),
        };
        if let Some(are_ended) = are_ended(&open) {
            query = query.filter(not(are_ended));
        }
        if let Some(since) = used_since {
            let used = secrets::table.filter(secrets::last_used_at.ge(since.millis()));
            query = query.filter(credentials::id.eq_any(used.select(secrets::credential)));
        }
        Ok(query.first(connection)?)
    };
    Ok(Counts { clients: of(CredentialKind::Client)?, keys: of(CredentialKind::ApiKey)? })
}

/// Credentials that are to be compared with an epoch, and where the comparison continues.
#[derive(Debug)]
pub struct Candidates {
    /// Their ids.
    pub ids: Vec<String>,
    /// Where to continue; `None` if these were the last.
    pub next: Option<String>,
}

/// Returns the next credentials, at most `limit`, that an epoch may end: those of its customers, of its owner, or of
/// its environment, by an index.
pub fn candidates(connection: &mut AnyConnection, stored: &StoredEpoch, limit: i64) -> Result<Candidates, StoreError> {
    let (extent, after) = (&stored.epoch.extent, stored.expanded_to.as_str());
    let customers = extent.customer.as_ref().map_or(extent.within.as_slice(), std::slice::from_ref);
    let ids: Vec<String> = if !customers.is_empty() {
        ties::table
            .filter(ties::customer.eq_any(customers.iter().map(CustomerId::as_str)))
            .filter(ties::credential.gt(after))
            .order(ties::credential.asc())
            .limit(limit)
            .select(ties::credential)
            .load(connection)?
    } else if let Some(owner) = &extent.owner {
        credentials::table
            .filter(credentials::owner.eq(owner.as_str()))
            .filter(credentials::id.gt(after))
            .order(credentials::id.asc())
            .limit(limit)
            .select(credentials::id)
            .load(connection)?
    } else {
        return of_environment(connection, extent.environment, after, limit);
    };
    let is_last = i64::try_from(ids.len()).is_ok_and(|found| found < limit);
    let next = ids.last().filter(|_| !is_last).cloned();
    Ok(Candidates { ids, next })
}

/// Returns the credentials of an environment after the id `after`: clients first, then API keys, whose ids come later.
fn of_environment(
    connection: &mut AnyConnection,
    environment: Option<Environment>,
    after: &str,
    limit: i64,
) -> Result<Candidates, StoreError> {
    /// Comes before the id of every API key, and after those of all clients.
    const BEFORE_KEYS: &str = "key_";
    let kind = if after.starts_with(BEFORE_KEYS) { CredentialKind::ApiKey } else { CredentialKind::Client };
    let mut query = credentials::table
        .filter(credentials::kind.eq(kind.as_str()))
        .filter(credentials::id.gt(after))
        .order(credentials::id.asc())
        .limit(limit)
        .select(credentials::id)
        .into_boxed();
    if let Some(environment) = environment {
        query = query.filter(credentials::environment.eq(environment.as_str()));
    }
    let ids: Vec<String> = query.load(connection)?;
    let is_last = i64::try_from(ids.len()).is_ok_and(|found| found < limit);
    let next = match (is_last, kind) {
        (true, CredentialKind::ApiKey) => None,
        (true, CredentialKind::Client) => Some(BEFORE_KEYS.to_owned()),
        (false, _) => ids.last().cloned(),
    };
    Ok(Candidates { ids, next })
}

/// Writes into the rows of those of `candidates` that the epoch ends, and that are not revoked, that they are. Returns
/// their ids and environments. Call it inside a change, so that no other change comes between.
pub fn expand(
    connection: &mut AnyConnection,
    epoch: &Epoch,
    candidates: &[String],
) -> Result<Vec<(String, Option<Environment>)>, StoreError> {
    let ended: Vec<(String, String)> = credentials::table
        .filter(credentials::id.eq_any(candidates))
        .filter(are_living())
        .filter(are_within(&epoch.extent, epoch.sequence))
        .order(credentials::id.asc())
        .select((credentials::id, credentials::environment))
        .load(connection)?;
    let ids: Vec<&str> = ended.iter().map(|(id, _)| id.as_str()).collect();
    diesel::update(credentials::table.filter(credentials::id.eq_any(ids)))
        .set((credentials::state.eq("revoked"), credentials::updated_at.eq(epoch.created_at.millis())))
        .execute(connection)?;
    Ok(ended.into_iter().map(|(id, environment)| (id, environment.parse().ok())).collect())
}
