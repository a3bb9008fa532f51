//! The limits that the roles of owners set on the scopes of their credentials.

use std::sync::Arc;

use super::cache::{Cache, Footprint};
use crate::domain::ids::UserId;
use crate::domain::role::RoleName;
use crate::domain::scope::Scopes;
use crate::domain::user::User;
use crate::store::{AnyConnection, Store, StoreError, roles, users};

/// Bytes of the owners that are cached.
const OWNERS: usize = 8 << 20;

/// A user who owns credentials, with the scopes of the role.
#[derive(Debug)]
pub struct Owner {
    is_active: bool,
    role: RoleName,
    ceiling: Scopes,
}

impl Owner {
    /// Reads a user with the scopes of the role.
    ///
    /// # Errors
    /// A row is damaged.
    fn read(connection: &mut AnyConnection, user: &UserId) -> Result<Option<Self>, StoreError> {
        let Some(user) = users::find(connection, user)? else { return Ok(None) };
        Ok(Some(Self { ceiling: ceiling(connection, &user.role)?, is_active: user.is_active, role: user.role }))
    }
}

/// Reads the scopes of a role. A missing role allows nothing.
fn ceiling(connection: &mut AnyConnection, role: &RoleName) -> Result<Scopes, StoreError> {
    Ok(roles::find(connection, role)?.map(|role| role.scopes).unwrap_or_default())
}

impl Footprint for Owner {
    fn heap_bytes(&self) -> usize {
        self.ceiling.as_str().len() + self.ceiling.iter().count() * 24 + 64
    }
}

/// A cache of the owners of credentials.
#[derive(Debug)]
pub struct Owners {
    store: Store,
    owners: Cache<Owner>,
}

impl Owners {
    /// Creates an empty cache of the users in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, owners: Cache::new(OWNERS) }
    }

    /// Returns what the owner of a credential allows now.
    ///
    /// # Errors
    /// The owner is not cached, and a row is damaged.
    pub async fn allowance(&self, owner: Option<&UserId>) -> Result<Allowance, StoreError> {
        let Some(user) = owner else { return Ok(Allowance::All) };
        if let Some(owner) = self.owners.get(user.as_str()) {
            return Ok(Allowance::of(Some(owner)));
        }
        let asked = user.clone();
        let query = self.store.read(move |connection| Owner::read(connection, &asked));
        let owner = self.owners.fetch(user.shared(), query).await?;
        Ok(Allowance::of(owner))
    }

    /// Drops a user who was changed.
    pub fn drop_entry(&self, user: &str) {
        self.owners.drop_entry(user);
    }

    /// Drops all owners, because a role was changed.
    pub fn clear(&self) {
        self.owners.clear();
    }
}

/// The scopes that the owner of a credential allows.
#[derive(Clone, Debug)]
pub enum Allowance {
    /// Everything: the credential is the organisation's own.
    All,
    /// The scopes of its owner's role.
    Role(Arc<Owner>),
    /// Nothing: the owner is not active.
    Nothing,
}

impl Allowance {
    fn of(owner: Option<Arc<Owner>>) -> Self {
        owner.filter(|owner| owner.is_active).map_or(Self::Nothing, Self::Role)
    }

    /// Reads what the owner of a credential allows, past the cache.
    ///
    /// # Errors
    /// A row is damaged.
    pub fn read(connection: &mut AnyConnection, owner: Option<&UserId>) -> Result<Self, StoreError> {
        let Some(user) = owner else { return Ok(Self::All) };
        Ok(Self::of(Owner::read(connection, user)?.map(Arc::new)))
    }

    /// Reads past the cache those of these owners that exist, each with what it allows.
    ///
    /// # Errors
    /// The row of a role is damaged.
    pub fn read_each(connection: &mut AnyConnection, owners: &[UserId]) -> Result<Vec<(User, Self)>, StoreError> {
        let mut ceilings: Vec<(RoleName, Scopes)> = Vec::new();
        let mut found = Vec::with_capacity(owners.len());
        for user in users::find_all(connection, owners)? {
            let known = ceilings.iter().find(|(role, _)| *role == user.role).map(|(_, ceiling)| ceiling.clone());
            let ceiling = if let Some(ceiling) = known {
                ceiling
            } else {
                let read = ceiling(connection, &user.role)?;
                ceilings.push((user.role.clone(), read.clone()));
                read
            };
            let owner = Owner { is_active: user.is_active, role: user.role.clone(), ceiling };
            found.push((user, Self::of(Some(Arc::new(owner)))));
        }
        Ok(found)
    }

    /// Returns the role of the owner, if it decides.
    pub fn role(&self) -> Option<&RoleName> {
        match self {
            Self::Role(owner) => Some(&owner.role),
            Self::All | Self::Nothing => None,
        }
    }

    /// Returns the part of `scopes` that is allowed.
    pub fn cut(&self, scopes: &Scopes) -> Scopes {
        match self {
            Self::All => scopes.clone(),
            Self::Role(owner) => scopes.cut_to(&owner.ceiling),
            Self::Nothing => Scopes::default(),
        }
    }

    /// Returns whether all of `required` is allowed. A scope that both the credential's scopes and the role cover is
    /// covered, even where their intersection cannot be expressed in scopes.
    pub fn allows(&self, required: &Scopes) -> bool {
        match self {
            Self::All => true,
            Self::Role(owner) => owner.ceiling.allow_all(required),
            Self::Nothing => required.is_empty(),
        }
    }

    /// Returns the scopes of the role, if there is an owner.
    pub fn ceiling(&self) -> Option<&Scopes> {
        match self {
            Self::Role(owner) => Some(&owner.ceiling),
            Self::All | Self::Nothing => None,
        }
    }
}
