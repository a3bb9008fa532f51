//! Users: people with one role each, who own credentials.

use zeroize::Zeroizing;

use super::ids::UserId;
use super::patch::Patch;
use super::role::RoleName;
use super::text::{Name, checked_text};
use super::time::Timestamp;

/// Longest e-mail address (RFC 5321 §4.5.3.1.3, less the brackets).
const EMAIL_MAX: usize = 254;
/// Shortest password, in characters (ASVS 6.2.1).
const PASSWORD_MIN: usize = 8;
/// Longest password, in bytes.
const PASSWORD_MAX: usize = 1024;

/// A user of the installation.
#[derive(Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address that the user signs in with, in lower case; no two users have the same.
    pub email: EmailAddress,
    /// The user's name, if it is known.
    pub name: Option<Name>,
    /// The name of the user's role.
    pub role: RoleName,
    /// Whether the user and the user's credentials are accepted.
    pub is_active: bool,
    /// Argon2id, as a PHC string; `None` for a user who cannot sign in.
    pub password_hash: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

checked_text! {
    /// An e-mail address in lower case: visible characters with one `@`, which is neither first nor last. Whether it
    /// receives mail is not checked.
    EmailAddress by email;
}

fn email(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "must be an e-mail address";
    let (local, host) = text.split_once('@').ok_or(WRONG)?;
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if text.len() > EMAIL_MAX || !is_plain(local) || !is_plain(host) || host.contains('@') {
        return Err(WRONG);
    }
    Ok(text.to_lowercase())
}

/// A user to create.
pub struct NewUser {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// The user's name.
    pub name: Option<Name>,
    /// The name of a role.
    pub role: RoleName,
    /// The password; a user without one cannot sign in.
    pub password: Option<Zeroizing<String>>,
}

/// Changes to a user; `None` and [`Patch::Keep`] leave a field as it is.
#[derive(Default)]
pub struct UserChanges {
    /// The address to sign in with.
    pub email: Option<EmailAddress>,
    /// The user's name.
    pub name: Patch<Name>,
    /// The name of a role.
    pub role: Option<RoleName>,
    /// The password; if it is cleared, the user cannot sign in.
    pub password: Patch<Zeroizing<String>>,
}

/// A filter of users to list. All conditions must apply.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// The one with this address, in lower case.
    pub email: Option<String>,
    /// With this role.
    pub role: Option<String>,
    /// Created before the user with this id.
    pub before: Option<UserId>,
}

/// Checks the length of a password: at least 8 characters, at most 1024 bytes.
///
/// # Errors
/// The length is wrong. The message ends a sentence that begins with the field's name.
pub fn password(text: &str) -> Result<(), &'static str> {
    if text.chars().count() < PASSWORD_MIN || text.len() > PASSWORD_MAX {
        return Err("must have at least 8 characters and at most 1024 bytes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_at_and_no_spaces() {
        assert_eq!("Ann@Example.com".parse::<EmailAddress>().unwrap().as_str(), "ann@example.com");
        for wrong in
            ["", "ann", "@example.com", "ann@", "a b@example.com", "a@b@c", "a\n@b", &format!("{}@b", "a".repeat(260))]
        {
            assert!(wrong.parse::<EmailAddress>().is_err(), "{wrong}");
        }
    }
}
