//! Users: people, each with one role, whom credentials belong to.

use super::ids::UserId;
use super::time::Timestamp;

/// Longest e-mail address (RFC 5321 §4.5.3.1.3, less the brackets).
const EMAIL_MAX: usize = 254;
/// Shortest password, in characters (ASVS 6.2.1).
const PASSWORD_MIN: usize = 8;
/// Longest password, in bytes.
const PASSWORD_MAX: usize = 1024;

/// A user.
#[derive(Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address that the user signs in with, in lower case; no two users have the same.
    pub email: String,
    /// What people call the user.
    pub name: String,
    /// The name of the user's role.
    pub role: String,
    /// Whether the user and the user's credentials are accepted.
    pub is_active: bool,
    /// Argon2id, as a PHC string; `None` for who cannot sign in.
    pub password_hash: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Reads an e-mail address: something before and behind one `@`, visible characters only, in lower case. Whether mail
/// arrives is not ours to tell.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the field's name.
pub fn email(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "must be an e-mail address";
    let (local, host) = text.split_once('@').ok_or(WRONG)?;
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if text.len() > EMAIL_MAX || !is_plain(local) || !is_plain(host) || host.contains('@') {
        return Err(WRONG);
    }
    Ok(text.to_lowercase())
}

/// Checks a password's length.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the field's name.
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
        assert_eq!(email("Ann@Example.com").as_deref(), Ok("ann@example.com"));
        for wrong in
            ["", "ann", "@example.com", "ann@", "a b@example.com", "a@b@c", "a\n@b", &format!("{}@b", "a".repeat(260))]
        {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }
}
