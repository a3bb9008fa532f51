//! API keys: the value that a caller holds, and the settings that only keys have.
//!
//! The value is `{brand}_{tag}_{32 random characters}{6 characters of their CRC-32}`. Secret scanners recognise the
//! form, and typing errors are found without a database query. 32 characters of base 62 carry 190 random bits.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::brand::{Brand, is_brand};
use crate::domain::environment::Environment;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;

/// Random characters of a key.
pub const RANDOM_LENGTH: usize = 32;
/// Characters of base 62 that hold a CRC-32.
const CHECKSUM_LENGTH: usize = 6;
/// Random characters that are stored in the clear, so that people recognise a key; 166 bits stay secret.
const SHOWN: usize = 4;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the tag of an environment in its keys.
pub const fn tag(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "live",
        Environment::Staging => "stg",
        Environment::Development => "dev",
    }
}

/// The value of an API key. Blank in `Debug`, zeroed on drop.
#[derive(Clone)]
pub struct RawApiKey(Zeroizing<String>);

impl fmt::Debug for RawApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawApiKey")
    }
}

impl RawApiKey {
    /// Composes the key of these 32 random characters of base 62.
    pub fn compose(brand: &Brand, environment: Environment, random: &str) -> Self {
        let tag = tag(environment);
        let mut text = Zeroizing::new(String::with_capacity(brand.as_str().len() + tag.len() + 2 + 38));
        for part in [brand.as_str(), "_", tag, "_", random] {
            text.push_str(part);
        }
        text.extend(checksum(random).map(char::from));
        Self(text)
    }

    /// Parses a text in the form of a key with the right checksum. It accepts any brand: keys remain valid when the
    /// brand changes.
    pub fn parse(text: &str) -> Option<Self> {
        let (random, sum) = body_of(text, RANDOM_LENGTH + CHECKSUM_LENGTH)?.split_at(RANDOM_LENGTH);
        (sum.as_bytes() == checksum(random)).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns `true` if `text` has the form of a key's prefix.
    pub fn is_prefix(text: &str) -> bool {
        body_of(text, SHOWN).is_some()
    }

    /// Returns the value, only to hand it to its holder or to hash it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns brand, tag and the first random characters, for people.
    pub fn prefix(&self) -> &str {
        &self.0[..self.0.len() - RANDOM_LENGTH - CHECKSUM_LENGTH + SHOWN]
    }

    /// Returns the last four characters, for people.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// Returns the environment that the tag names.
    pub fn environment(&self) -> Option<Environment> {
        let tag_text = self.0.rsplit('_').nth(1)?;
        Environment::ALL.into_iter().find(|environment| tag(*environment) == tag_text)
    }
}

/// Returns the characters after brand and tag, if `text` has the form of a key with `length` of them.
fn body_of(text: &str, length: usize) -> Option<&str> {
    let (before, body) = text.rsplit_once('_')?;
    let (brand, tag_text) = before.rsplit_once('_')?;
    let is_formed = body.len() == length
        && body.bytes().all(|b| b.is_ascii_alphanumeric())
        && Environment::ALL.into_iter().any(|environment| tag(environment) == tag_text)
        && is_brand(brand);
    is_formed.then_some(body)
}

/// Returns the CRC-32 (ISO-HDLC) of the random characters as six digits of base 62, the most significant first.
fn checksum(random: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// The holder of a key, which decides its defaults and the scopes that it may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// A customer.
    Client,
    /// A partner, with the scopes that were agreed.
    Partner,
    /// The company itself; only keys of this type may carry `admin` or reserved management permissions.
    Internal,
}

impl KeyType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Client, Self::Partner, Self::Internal];

    /// Returns the name in rows and responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Partner => "partner",
            Self::Internal => "internal",
        }
    }

    /// Returns the scopes of a key that names none; `None` if they must be named.
    pub fn default_scopes(self) -> Option<Scopes> {
        match self {
            Self::Client => Preset::ReadOnly.scopes(),
            Self::Partner | Self::Internal => None,
        }
    }

    /// Returns the rate limits of a key that names none.
    pub fn default_limits(self) -> RateLimits {
        match self {
            Self::Client | Self::Partner => RateLimits::default(),
            Self::Internal => RateLimits::UNLIMITED,
        }
    }
}

impl FromStr for KeyType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or("must be client, partner or internal")
    }
}

/// A name for a common set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `read`.
    ReadOnly,
    /// `read write`.
    Write,
    /// `read write delete`.
    Full,
    /// The scopes that the caller names.
    Scoped,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::Write, Self::Full, Self::Scoped];

    /// Returns the name in requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Write => "write",
            Self::Full => "full",
            Self::Scoped => "scoped",
        }
    }

    /// Returns the scopes of the preset; `None` if the caller must name them.
    pub fn scopes(self) -> Option<Scopes> {
        let text = match self {
            Self::ReadOnly => "read",
            Self::Write => "read write",
            Self::Full => "read write delete",
            Self::Scoped => return None,
        };
        text.parse().ok()
    }
}

impl FromStr for Preset {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text).ok_or("must be read-only, write, full or scoped")
    }
}

/// The settings that only API keys have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDetails {
    /// The holder of the key.
    pub key_type: KeyType,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RANDOM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

    #[test]
    fn a_key_names_its_brand_and_environment_and_ends_with_a_checksum() {
        let key = RawApiKey::compose(&"sw".parse().unwrap(), Environment::Staging, RANDOM);
        // zlib computes for these 32 characters: CRC-32 1546885699.
        assert_eq!(key.expose(), format!("sw_stg_{RANDOM}1ggZdL"));
        assert_eq!(key.prefix(), "sw_stg_0123");
        assert_eq!(key.environment(), Some(Environment::Staging));
        assert_eq!(RawApiKey::parse(key.expose()).unwrap().expose(), key.expose());
        assert_eq!(format!("{key:?}"), "RawApiKey");
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let key = RawApiKey::compose(&"sw".parse().unwrap(), Environment::Production, RANDOM);
        for at in "sw_live_".len()..key.expose().len() {
            let mut bytes = key.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(RawApiKey::parse(std::str::from_utf8(&bytes).unwrap()).is_none(), "{at}");
        }
        for other in ["", "sw", "_live_", "sw_test_", "SW_live_", "sw__live_", " sw_live_"] {
            let text = format!("{other}{}", &key.expose()["sw_live_".len()..]);
            assert!(RawApiKey::parse(&text).is_none(), "{text}");
        }
        assert!(RawApiKey::parse(&key.expose()[..key.expose().len() - 1]).is_none());
        assert!(RawApiKey::parse(&format!("{}0", key.expose())).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_none_and_any_key_is_read(
            text in "\\PC{0,60}",
            brand in "[a-z][a-z0-9]{0,15}",
            random in "[0-9A-Za-z]{32}",
        ) {
            let _read_or_not = RawApiKey::parse(&text);
            let key = RawApiKey::compose(&brand.parse().unwrap(), Environment::Development, &random);
            prop_assert!(RawApiKey::parse(key.expose()).is_some());
        }
    }
}
