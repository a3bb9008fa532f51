//! Credentials in the cache as bytes: about a third of the memory that the records take, so that many more fit.

use strum::IntoEnumIterator as _;

use crate::domain::audience::Audience;
use crate::domain::credential::{
    ChangeNumbers, ClientDetails, Credential, CredentialId, CredentialKind, Details, KeyDetails, KeyType, KeyedDigest,
    SecretHash, State, StoredSecret,
};
use crate::domain::environment::Environment;
use crate::domain::ids::{ApiKeyId, ClientId, Id, Kind};
use crate::domain::metadata::Metadata;
use crate::domain::network::Networks;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;
use crate::domain::signing_key::Algorithm;
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};
use crate::domain::token::TokenTyp;

/// A credential as bytes: what decisions need of it.
#[derive(Clone, Debug)]
pub struct PackedCredential(Box<[u8]>);

/// The kind and the digits of a credential's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortId(CredentialKind, [u8; 16]);

impl ShortId {
    /// Returns the short form of an id.
    pub fn of(id: &CredentialId) -> Self {
        let digits = match id {
            CredentialId::Client(id) => id.to_bytes(),
            CredentialId::ApiKey(id) => id.to_bytes(),
        };
        Self(id.kind(), digits)
    }

    pub fn id(self) -> CredentialId {
        match self.0 {
            CredentialKind::Client => CredentialId::Client(ClientId::from_bytes(self.1)),
            CredentialKind::ApiKey => CredentialId::ApiKey(ApiKeyId::from_bytes(self.1)),
        }
    }
}

impl PackedCredential {
    pub fn of(credential: &Credential) -> Self {
        let mut bytes = Vec::with_capacity(256);
        credential.pack(&mut bytes);
        Self(bytes.into())
    }

    /// Unpacks the credential, without what is only for people: descriptions, and when it was changed and used. `None`
    /// if the bytes are damaged.
    pub fn unpack(&self) -> Option<Credential> {
        let mut bytes = &*self.0;
        Credential::unpack(&mut bytes).filter(|_| bytes.is_empty())
    }

    /// Returns how many bytes it takes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A value that can be written as bytes and read from them.
trait Pack: Sized {
    fn pack(&self, bytes: &mut Vec<u8>);
    fn unpack(bytes: &mut &[u8]) -> Option<Self>;
}

/// Packs structs field by field. A new field does not compile until it is in one of the lists.
macro_rules! packed {
    ($($type:ident { $($field:ident),* } without { $($left:ident: $value:expr),* })*) => {$(
        impl Pack for $type {
            fn pack(&self, bytes: &mut Vec<u8>) {
                let Self { $($field,)* $($left: _,)* } = self;
                $($field.pack(bytes);)*
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                $(let $field = Pack::unpack(bytes)?;)*
                Some(Self { $($left: $value,)* $($field,)* })
            }
        }
    )*};
}

packed! {
    Credential {
        id, environment, name, scopes, allowed_ips, limits, state, expires_at, owner, customers, created_at, rotated_at,
        secrets, details, metadata, numbers
    } without { description: Description::default(), updated_at: created_at, earlier_use: None }
    StoredSecret { id, hash, created_at, ends_at }
        without { prefix: String::new(), last_four: String::new(), last_use: None }
    ClientDetails {
        default_scopes, audiences, resource_for, token_lifetime, signing_algorithm, token_typ, tokens_revoked_before
    } without {}
    ChangeNumbers { created, owner, customers } without {}
    KeyDetails { key_type } without {}
    KeyedDigest { key, digest } without {}
    RateLimits { rate_per_minute, burst_per_second } without {}
}

/// Packs enums by their position in the list of their values.
macro_rules! packed_by_position {
    ($($type:ty: $all:expr;)*) => {$(
        impl Pack for $type {
            fn pack(&self, bytes: &mut Vec<u8>) {
                let position = $all.position(|value| value == *self).unwrap_or_default();
                bytes.push(u8::try_from(position).unwrap_or(u8::MAX));
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                let [position] = <[u8; 1]>::unpack(bytes)?;
                $all.nth(usize::from(position))
            }
        }
    )*};
}

packed_by_position! {
    Environment: Environment::ALL.into_iter();
    State: State::iter();
    KeyType: KeyType::ALL.into_iter();
    Algorithm: Algorithm::ALL.into_iter();
    TokenTyp: TokenTyp::ALL.into_iter();
    bool: [false, true].into_iter();
}

impl<const N: usize> Pack for [u8; N] {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let (value, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*value)
    }
}

/// Packs types as another one that can be packed.
macro_rules! packed_as {
    ($($type:ty as $other:ty: $to:expr, $from:expr;)*) => {$(
        impl Pack for $type {
            fn pack(&self, bytes: &mut Vec<u8>) {
                let to: fn(&Self) -> $other = $to;
                to(self).pack(bytes);
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                let from: fn($other) -> Option<Self> = $from;
                from(<$other>::unpack(bytes)?)
            }
        }
    )*};
}

packed_as! {
    u16 as [u8; 2]: |value| value.to_le_bytes(), |bytes| Some(Self::from_le_bytes(bytes));
    u32 as [u8; 4]: |value| value.to_le_bytes(), |bytes| Some(Self::from_le_bytes(bytes));
    i64 as [u8; 8]: |value| value.to_le_bytes(), |bytes| Some(Self::from_le_bytes(bytes));
    Timestamp as i64: |at| at.millis(), |millis| Some(Self::from_millis(millis));
    Duration as i64: |duration| duration.as_seconds(), |seconds| Some(Self::seconds(seconds));
    Name as String: ToString::to_string, |text| text.parse().ok();
    Audience as String: ToString::to_string, |text| text.parse().ok();
    Scopes as String: ToString::to_string,
        |text| if text.is_empty() { Some(Self::default()) } else { text.parse().ok() };
    Networks as Vec<String>: Networks::to_strings, |texts| Self::parse(texts.iter().map(String::as_str)).ok();
}

impl Pack for CredentialId {
    fn pack(&self, bytes: &mut Vec<u8>) {
        let ShortId(kind, digits) = ShortId::of(self);
        (kind == CredentialKind::Client).pack(bytes);
        digits.pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let kind = if bool::unpack(bytes)? { CredentialKind::Client } else { CredentialKind::ApiKey };
        Some(ShortId(kind, Pack::unpack(bytes)?).id())
    }
}

impl<K: Kind> Pack for Id<K> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.to_bytes().pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        Pack::unpack(bytes).map(Self::from_bytes)
    }
}

impl Pack for String {
    fn pack(&self, bytes: &mut Vec<u8>) {
        u16::try_from(self.len()).unwrap_or(u16::MAX).pack(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let length = usize::from(u16::unpack(bytes)?);
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.is_some().pack(bytes);
        if let Some(value) = self {
            value.pack(bytes);
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        if bool::unpack(bytes)? { T::unpack(bytes).map(Some) } else { Some(None) }
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        u16::try_from(self.len()).unwrap_or(u16::MAX).pack(bytes);
        for item in self {
            item.pack(bytes);
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        (0..u16::unpack(bytes)?).map(|_| T::unpack(bytes)).collect()
    }
}

impl Pack for Metadata {
    fn pack(&self, bytes: &mut Vec<u8>) {
        let texts: Vec<String> = self.pairs().flat_map(|(key, value)| [key.to_string(), value.to_string()]).collect();
        texts.pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let texts = Vec::<String>::unpack(bytes)?;
        let pairs = texts.chunks_exact(2).map(|pair| Some((pair[0].parse().ok()?, Some(pair[1].parse().ok()?))));
        Self::default().merged(pairs.collect::<Option<_>>()?).ok()
    }
}

impl Pack for SecretHash {
    fn pack(&self, bytes: &mut Vec<u8>) {
        let (digest, argon2id, keyed) = match self {
            Self::Sha256(digest) => (Some(*digest), None, None),
            Self::Client { argon2id, digest } => (None, Some(argon2id.clone()), *digest),
        };
        digest.pack(bytes);
        argon2id.pack(bytes);
        keyed.pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        match (Pack::unpack(bytes)?, Pack::unpack(bytes)?, Pack::unpack(bytes)?) {
            (Some(digest), None, None) => Some(Self::Sha256(digest)),
            (None, Some(argon2id), digest) => Some(Self::Client { argon2id, digest }),
            _ => None,
        }
    }
}

impl Pack for Details {
    fn pack(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Client(details) => {
                true.pack(bytes);
                details.pack(bytes);
            }
            Self::ApiKey(details) => {
                false.pack(bytes);
                details.pack(bytes);
            }
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        if bool::unpack(bytes)? { Pack::unpack(bytes).map(Self::Client) } else { Pack::unpack(bytes).map(Self::ApiKey) }
    }
}

#[cfg(test)]
mod tests;
