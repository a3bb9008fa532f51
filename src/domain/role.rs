//! Roles: the scopes and management permissions that the credentials of a user may at most carry.

use super::permission as p;
use super::scope::{ANY_RESOURCE, Scope, Scopes};
use super::text::{Description, checked_text};
use super::time::Timestamp;

/// The role that may do everything. It cannot be changed, so that someone always can.
pub const OWNER: &str = "owner";
/// Longest name.
const NAME_MAX: usize = 60;

/// A role of users.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name, which is its id.
    pub name: RoleName,
    /// Its purpose, for people.
    pub description: Description,
    /// The scopes that credentials of its users may at most carry, including management permissions.
    pub scopes: Scopes,
    /// When it was created; `None` for a built-in role that was never changed.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

/// A role to create.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Its name, which is its id.
    pub name: RoleName,
    /// Its purpose, for people.
    pub description: Description,
    /// The scopes that credentials of its users may at most carry.
    pub scopes: Scopes,
}

/// Changes to a role; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleChanges {
    /// Its purpose, for people.
    pub description: Option<Description>,
    /// The scopes that credentials of its users may at most carry.
    pub scopes: Option<Scopes>,
}

/// A built-in role: name, description, scopes.
type BuiltIn = (&'static str, &'static str, &'static [&'static str]);

/// The roles that every installation has.
const BUILT_IN: [BuiltIn; 4] = [
    (OWNER, "May do everything.", &["admin", p::ADMIN]),
    (
        "admin",
        "Everything but owners, signing keys and the master key.",
        &[
            "admin",
            "sealwright.clients:*",
            "sealwright.keys:*",
            p::CREDENTIALS_OWN,
            "sealwright.customers:*",
            "sealwright.users:*",
            "sealwright.roles:*",
            "sealwright.scopes:*",
            p::SIGNING_KEYS_READ,
            p::AUDIT_READ,
            "sealwright.usage:*",
            "sealwright.alerts:*",
            "sealwright.webhooks:*",
            "sealwright.jobs:*",
            "sealwright.tokens:*",
            "sealwright.access-log:*",
            "sealwright.metrics:*",
        ],
    ),
    (
        "developer",
        "Own credentials, with any business scope but admin.",
        &[
            "read",
            "write",
            "delete",
            ANY_RESOURCE,
            p::CREDENTIALS_OWN,
            p::CUSTOMERS_READ,
            "sealwright.usage:*",
            "sealwright.alerts:*",
            "sealwright.webhooks:*",
        ],
    ),
    (
        "auditor",
        "Reads everything, changes nothing.",
        &[
            p::CLIENTS_READ,
            p::KEYS_READ,
            p::CUSTOMERS_READ,
            p::USERS_READ,
            p::ROLES_READ,
            p::SCOPES_READ,
            p::SIGNING_KEYS_READ,
            p::AUDIT_READ,
            "sealwright.usage:read",
            "sealwright.alerts:read",
            "sealwright.webhooks:read",
            "sealwright.jobs:read",
            p::METRICS_READ,
        ],
    ),
];

impl Role {
    /// Returns the built-in roles with their default scopes.
    pub fn built_in() -> impl Iterator<Item = Self> {
        // A test parses all of them.
        BUILT_IN.into_iter().filter_map(|(name, description, scopes)| {
            Some(Self {
                name: name.parse().ok()?,
                description: description.parse().ok()?,
                scopes: Scopes::new(scopes.iter().filter_map(|text| text.parse::<Scope>().ok())).unwrap_or_default(),
                created_at: None,
                updated_at: None,
            })
        })
    }

    /// Returns `true` for the roles that every installation has.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.iter().any(|(name, ..)| *name == self.name.as_str())
    }
}

checked_text! {
    /// A role's name: 1 to 60 of `a–z 0–9 - _`, the first a letter.
    RoleName by name;
}

fn name(text: &str) -> Result<&str, &'static str> {
    let is_plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if text.len() > NAME_MAX || !is_plain || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err("must be 1 to 60 of a-z, 0-9, - and _, and begin with a letter");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_are_read_whole_and_follow_the_table() {
        assert_eq!(Role::built_in().count(), BUILT_IN.len());
        for ((name, _, scopes), role) in BUILT_IN.iter().zip(Role::built_in()) {
            assert_eq!(role.scopes.iter().count(), scopes.len(), "{name}");
        }
        let may = |role: &str, scope: &str| {
            let role = Role::built_in().find(|known| known.name.as_str() == role).unwrap();
            role.scopes.allow_all(&scope.parse().unwrap())
        };
        for &permission in p::ALL {
            assert!(may("owner", permission), "{permission}");
            let is_admins = permission != p::ADMIN && permission != p::SIGNING_KEYS_WRITE;
            assert_eq!(may("admin", permission), is_admins, "{permission}");
            assert_eq!(may("auditor", permission), permission.ends_with(":read"), "{permission}");
        }
        for (role, scope, expected) in [
            ("owner", "admin orders:read", true),
            ("admin", "admin orders:read", true),
            ("developer", "read write delete orders:* orders:approve", true),
            ("developer", "admin", false),
            ("developer", "sealwright.credentials:own sealwright.customers:read", true),
            ("developer", "sealwright.customers:write", false),
            ("developer", "sealwright.keys:write", false),
            ("auditor", "read", false),
        ] {
            assert_eq!(may(role, scope), expected, "{role} {scope}");
        }
    }
}
