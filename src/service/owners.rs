//! What the role of a credential's owner leaves of its scopes, now.

use std::sync::Arc;

use super::Services;
use super::memory::Memory;
use crate::domain::ids::UserId;
use crate::domain::scope::Scopes;
use crate::store::{StoreError, roles, users};

/// Owners kept, at a few hundred bytes each.
const OWNERS: usize = 16_384;

/// A user as an owner of credentials.
#[derive(Debug)]
pub struct Owner {
    is_active: bool,
    ceiling: Scopes,
}

/// The owners in memory.
#[derive(Debug)]
pub struct Owners(Memory<Owner>);

impl Default for Owners {
    fn default() -> Self {
        Self(Memory::new(OWNERS))
    }
}

impl Owners {
    /// Forgets a user, who was changed.
    pub fn forget(&self, user: &str) {
        self.0.forget(user);
    }

    /// Forgets all of them: a role was changed.
    pub fn forget_all(&self) {
        self.0.forget_all();
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
    pub fn of(&self, scopes: &Scopes) -> Scopes {
        match self {
            Self::All => scopes.clone(),
            Self::Role(owner) => scopes.cut_to(&owner.ceiling),
            Self::Nothing => Scopes::default(),
        }
    }

    /// Whether all of `required` is within it. What both a credential's scopes cover and this allows is covered, also where
    /// what is left of the scopes cannot be said in scopes.
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

impl Services {
    /// What the owner of a credential allows now.
    ///
    /// # Errors
    /// The owner is not in memory and the database fails, or a row is damaged.
    pub async fn allowance(&self, owner: Option<&UserId>) -> Result<Allowance, StoreError> {
        let Some(user) = owner else { return Ok(Allowance::All) };
        let owner = match self.owners.0.at_hand(user.as_str()) {
            Some(owner) => Some(owner),
            None => self.owners.0.fetch(&user.as_str().into(), self.read_owner(user.clone())).await?,
        };
        Ok(owner.filter(|owner| owner.is_active).map_or(Allowance::Nothing, Allowance::Role))
    }

    async fn read_owner(&self, user: UserId) -> Result<Option<Owner>, StoreError> {
        self.store
            .read(move |connection| {
                let Some(user) = users::find(connection, &user)? else { return Ok(None) };
                // A role that is not there allows nothing.
                let role = roles::find(connection, &user.role)?;
                let ceiling = role.map(|role| role.scopes).unwrap_or_default();
                Ok(Some(Owner { is_active: user.is_active, ceiling }))
            })
            .await
    }
}
