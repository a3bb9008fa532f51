//! Typed, time-ordered identifiers: a prefix for the kind, then a `UUIDv7` in 32 hexadecimal digits (RFC 9562 §5.7).
//! Ids sort by creation time and use only `a–z 0–9 _`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::time::Timestamp;

/// The kind of object that an identifier names.
pub trait Kind {
    /// The text before the underscore.
    const PREFIX: &'static str;
}

/// An identifier of one kind, such as `cli_0199c0de…`.
pub struct Id<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// Creates an identifier for an object that is created at `now`; `random` must come from a cryptographic source.
    pub fn new(now: Timestamp, random: &[u8; 10]) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        Self::of(uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid())
    }

    fn of(uuid: Uuid) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let digits: &str = uuid.simple().encode_lower(&mut buffer);
        let mut text = String::with_capacity(K::PREFIX.len() + 1 + digits.len());
        text.push_str(K::PREFIX);
        text.push('_');
        text.push_str(digits);
        Self { text: text.into(), kind: PhantomData }
    }

    /// Returns the lowest identifier of objects that are created at `time` or later, for queries by creation time.
    pub fn floor(time: Timestamp) -> Self {
        Self::new(time, &[0; 10])
    }

    /// Returns when the object was created, in milliseconds.
    pub fn time(&self) -> Timestamp {
        let digits = self.text.get(K::PREFIX.len() + 1..K::PREFIX.len() + 13).unwrap_or_default();
        Timestamp::from_millis(i64::from_str_radix(digits, 16).unwrap_or(0))
    }

    /// Returns the digits of the identifier as bytes, for what keeps many of them.
    pub fn to_bytes(&self) -> [u8; 16] {
        digits(&self.text).unwrap_or_default()
    }

    /// Creates the identifier with these digits.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::of(Uuid::from_bytes(bytes))
    }

    /// Returns the shared text of the identifier.
    pub fn shared(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns the identifier as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Returns the 32 digits at the end of an identifier as bytes, whatever its kind.
pub fn digits(id: &str) -> Option<[u8; 16]> {
    let digits = id.get(id.len().checked_sub(32)?..)?;
    Uuid::try_parse(digits).ok().map(Uuid::into_bytes)
}

impl<K: Kind> FromStr for Id<K> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or("is not an identifier of this kind")?;
        if digits.len() != 32 || !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("is not a well-formed identifier");
        }
        Ok(Self { text: text.into(), kind: PhantomData })
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $id:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $id = Id<$kind>;
    )*};
}

kinds! {
    /// An OAuth client; the text is its `client_id`.
    ClientKind, ClientId, "cli";
    /// One secret of a client, or one value of an API key.
    SecretKind, SecretId, "sec";
    /// An API key, whichever value it has now.
    ApiKeyKind, ApiKeyId, "key";
    /// A user.
    UserKind, UserId, "usr";
    /// A customer.
    CustomerKind, CustomerId, "cus";
    /// One audit event.
    EventKind, EventId, "evt";
    /// One HTTP request or run of a command, as in `X-Request-Id`, the log and the audit event.
    RequestKind, RequestId, "req";
    /// A process that serves, as the holder of leases.
    ProcessKind, ProcessId, "prc";
    /// An epoch: one act that revoked many credentials.
    EpochKind, EpochId, "rev";
    /// One issued token: the `jti` claim.
    TokenKind, TokenId, "tok";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_a_round_trip() {
        let early = ClientId::new(Timestamp::from_millis(1_000), &[255; 10]);
        let late = ClientId::new(Timestamp::from_millis(1_001), &[0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().parse::<ClientId>().unwrap(), early);
        assert_eq!(early.as_str().len(), 36);
        assert_eq!(ClientId::from_bytes(early.to_bytes()), early);
        assert_eq!((digits("cli_0"), digits(early.as_str())), (None, Some(early.to_bytes())));
        assert_eq!(late.time(), Timestamp::from_millis(1_001));
        assert!(early < ClientId::floor(late.time()) && ClientId::floor(late.time()) <= late);
    }

    #[test]
    fn other_kinds_and_odd_texts_are_refused() {
        let event = EventId::new(Timestamp::from_millis(1), &[1; 10]).to_string();
        assert!(event.parse::<ClientId>().is_err());
        for text in [
            "",
            "cli_",
            "cli",
            "cli_zz",
            "CLI_0",
            &format!("cli_{}", "A".repeat(32)),
            &format!("cli_{}", "0".repeat(33)),
        ] {
            assert!(text.parse::<ClientId>().is_err(), "{text}");
        }
    }
}
