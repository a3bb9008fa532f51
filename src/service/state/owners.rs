//! What the role of a credential's owner leaves of its scopes, now.

use std::sync::Arc;

use super::cache::Cache;
use crate::domain::ids::UserId;
use crate::domain::scope::Scopes;
use crate::store::{Store, StoreError, roles, users};

/// Owners cached, at a few hundred bytes each.
const OWNERS: usize = 16_384;

/// A user as an owner of credentials.
#[derive(Debug)]
pub struct Owner {
    is_active: bool,
    ceiling: Scopes,
}

/// The owners in use.
#[derive(Debug)]
pub struct Owners {
    store: Store,
    owners: Cache<Owner>,
}

impl Owners {
    /// An empty cache of what `store` has.
    pub fn new(store: Store) -> Self {
        Self { store, owners: Cache::new(OWNERS) }
    }

    /// What the owner of a credential allows now.
    ///
    /// # Errors
    /// The owner is not cached, and the database fails or a row is damaged.
    pub async fn allowance(&self, owner: Option<&UserId>) -> Result<Allowance, StoreError> {
        let Some(user) = owner else { return Ok(Allowance::All) };
        let owner = match self.owners.get(user.as_str()) {
            Some(owner) => Some(owner),
            None => self.owners.fetch(user.shared(), self.read_owner(user.clone())).await?,
        };
        Ok(owner.filter(|owner| owner.is_active).map_or(Allowance::Nothing, Allowance::Role))
    }

    async fn read_owner(&self, user: UserId) -> Result<Option<Owner>, StoreError> {
        self.store
            .read(move |connection| {
                let Some(user) = users::find(connection, &user)? else { return Ok(None) };
                // A role that does not exist allows nothing.
                let role = roles::find(connection, &user.role)?;
                let ceiling = role.map(|role| role.scopes).unwrap_or_default();
                Ok(Some(Owner { is_active: user.is_active, ceiling }))
            })
            .await
    }

    /// Drops a user, who was changed.
    pub fn drop_entry(&self, user: &str) {
        self.owners.drop_entry(user);
    }

    /// Drops all of them: a role was changed.
    pub fn clear(&self) {
        self.owners.clear();
    }
}

/// What an owner allows.
#[derive(Clone, Debug)]
pub enum Allowance {
    /// Everything: the credential is the organisation's own.
    All,
    /// What the role of its owner does.
    Role(Arc<Owner>),
    /// Nothing: the owner is not active.
    Nothing,
}

impl Allowance {
    /// What is left of `scopes`.
    pub fn cut(&self, scopes: &Scopes) -> Scopes {
        match self {
            Self::All => scopes.clone(),
            Self::Role(owner) => scopes.cut_to(&owner.ceiling),
            Self::Nothing => Scopes::default(),
        }
    }

    /// Whether all of `required` is within it. What both a credential's scopes cover and this allows is covered, also
    /// where what is left of the scopes cannot be said in scopes.
    pub fn allows(&self, required: &Scopes) -> bool {
        match self {
            Self::All => true,
            Self::Role(owner) => owner.ceiling.allow_all(required),
            Self::Nothing => required.is_empty(),
        }
    }

    /// The role's scopes, where there is an owner.
    pub fn ceiling(&self) -> Option<&Scopes> {
        match self {
            Self::Role(owner) => Some(&owner.ceiling),
            Self::All | Self::Nothing => None,
        }
    }
}
