//! Rows of credentials and their secrets, and their conversion to and from domain values.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::credential_customers::Ties;
use super::schema::{credential_secrets, credentials};
use super::{StoreError, base64_text, damaged, join, metadata, split};
use crate::domain::audience::Audience;
use crate::domain::credential::{
    ChangeNumbers, ClientDetails, Credential, CredentialId, CredentialKind, Details, KeyDetails, KeyedDigest, LastUse,
    SecretHash, StoredSecret,
};
use crate::domain::network::Networks;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;
use crate::domain::time::{Duration, Timestamp};

const TABLE: &str = "credentials";

/// A row of the table `credentials`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = credentials, treat_none_as_default_value = false)]
pub struct CredentialRow {
    pub(super) id: String,
    kind: String,
    #[diesel(embed)]
    #[serde(flatten)]
    settings: Settings,
    due_flagged_at: Option<i64>,
    expiry_flagged: i32,
    earlier_used_at: Option<i64>,
    earlier_used_address: Option<String>,
    #[serde(default)]
    created_sequence: i64,
}

/// The columns that updates change. Lists are joined by single spaces.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = credentials, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Settings {
    environment: String,
    name: String,
    description: String,
    scopes: String,
    allowed_ips: String,
    rate_per_minute: Option<i64>,
    burst_per_second: Option<i64>,
    state: String,
    expires_at: Option<i64>,
    owner: Option<String>,
    created_at: i64,
    updated_at: i64,
    rotated_at: i64,
    key_type: Option<String>,
    default_scopes: Option<String>,
    audiences: Option<String>,
    resource_for: Option<String>,
    token_lifetime: Option<i64>,
    signing_algorithm: Option<String>,
    token_typ: Option<String>,
    tokens_revoked_before: Option<i64>,
    metadata: String,
    #[serde(default)]
    owner_sequence: i64,
}

impl Settings {
    /// Returns the columns of `credential` that updates change.
    pub fn of(credential: &Credential) -> Self {
        let client = credential.as_client().map(|client| client.details);
        Self {
            environment: credential.environment.to_string(),
            name: credential.name.to_string(),
            description: credential.description.to_string(),
            scopes: credential.scopes.to_string(),
            allowed_ips: join(credential.allowed_ips.to_strings()),
            rate_per_minute: credential.limits.rate_per_minute.map(i64::from),
            burst_per_second: credential.limits.burst_per_second.map(i64::from),
            state: credential.state.as_str().to_owned(),
            expires_at: credential.expires_at.map(Timestamp::millis),
            owner: credential.owner.as_ref().map(ToString::to_string),
            created_at: credential.created_at.millis(),
            updated_at: credential.updated_at.millis(),
            rotated_at: credential.rotated_at.millis(),
            key_type: credential.key_type().map(|key_type| key_type.as_str().to_owned()),
            default_scopes: client.and_then(|client| client.default_scopes.as_ref()).map(ToString::to_string),
            audiences: client.map(|client| join(&client.audiences)),
            resource_for: client.map(|client| join(&client.resource_for)),
            token_lifetime: client.map(|client| client.token_lifetime.as_seconds()),
            signing_algorithm: client.and_then(|client| client.signing_algorithm).map(|name| name.to_string()),
            token_typ: client.and_then(|client| client.token_typ).map(|typ| typ.to_string()),
            tokens_revoked_before: client.and_then(|client| client.tokens_revoked_before).map(Timestamp::millis),
            metadata: metadata::to_column(&credential.metadata),
            owner_sequence: credential.numbers.owner,
        }
    }

    /// Reads the details of a kind; an error names the first damaged column.
    fn details(&self, kind: CredentialKind) -> Result<Details, &'static str> {
        if kind == CredentialKind::ApiKey {
            let key_type = self.key_type.as_deref().and_then(|text| text.parse().ok()).ok_or("key_type")?;
            return Ok(Details::ApiKey(KeyDetails { key_type }));
        }
        let audiences =
            |text: Option<&str>| split(text?).map(|item| item.parse::<Audience>().ok()).collect::<Option<Vec<_>>>();
        let default_scopes = self.default_scopes.as_deref().map(scopes_of).transpose();
        let algorithm = self.signing_algorithm.as_deref().map(str::parse).transpose();
        let token_typ = self.token_typ.as_deref().map(str::parse).transpose();
        Ok(Details::Client(ClientDetails {
            default_scopes: default_scopes.map_err(|_| "default_scopes")?,
            audiences: audiences(self.audiences.as_deref()).ok_or("audiences")?,
            resource_for: audiences(self.resource_for.as_deref()).ok_or("resource_for")?,
            token_lifetime: self.token_lifetime.map(Duration::seconds).ok_or("token_lifetime")?,
            signing_algorithm: algorithm.map_err(|_| "signing_algorithm")?,
            token_typ: token_typ.map_err(|_| "token_typ")?,
            tokens_revoked_before: self.tokens_revoked_before.map(Timestamp::from_millis),
        }))
    }
}

impl CredentialRow {
    /// Converts a new credential to its row.
    pub fn new(credential: &Credential) -> Self {
        Self {
            id: credential.id.to_string(),
            kind: credential.kind().as_str().to_owned(),
            settings: Settings::of(credential),
            due_flagged_at: None,
            expiry_flagged: 0,
            earlier_used_at: None,
            earlier_used_address: None,
            created_sequence: credential.numbers.created,
        }
    }

    /// Converts this row, with its secrets and customers, to a credential.
    ///
    /// # Errors
    /// A column is damaged.
    pub fn into_credential(self, secrets: Vec<SecretRow>, ties: Ties) -> Result<Credential, StoreError> {
        let wrong = |column| damaged(TABLE, &self.id, column);
        let settings = &self.settings;
        let id: CredentialId = self.id.parse().map_err(|_| wrong("id"))?;
        if id.kind().as_str() != self.kind {
            return Err(wrong("kind"));
        }
        Ok(Credential {
            environment: settings.environment.parse().map_err(|_| wrong("environment"))?,
            name: settings.name.parse().map_err(|_| wrong("name"))?,
            description: settings.description.parse().map_err(|_| wrong("description"))?,
            scopes: scopes_of(&settings.scopes).map_err(|_| wrong("scopes"))?,
            allowed_ips: Networks::parse(split(&settings.allowed_ips)).map_err(|_| wrong("allowed_ips"))?,
            limits: RateLimits {
                rate_per_minute: limit_of(settings.rate_per_minute).map_err(|_| wrong("rate_per_minute"))?,
                burst_per_second: limit_of(settings.burst_per_second).map_err(|_| wrong("burst_per_second"))?,
            },
            state: settings.state.parse().map_err(|_| wrong("state"))?,
            expires_at: settings.expires_at.map(Timestamp::from_millis),
            owner: settings.owner.as_deref().map(str::parse).transpose().map_err(|_| wrong("owner"))?,
            customers: ties.customers,
            metadata: metadata::from_column(&settings.metadata).map_err(|()| wrong("metadata"))?,
            created_at: Timestamp::from_millis(settings.created_at),
            updated_at: Timestamp::from_millis(settings.updated_at),
            rotated_at: Timestamp::from_millis(settings.rotated_at),
            earlier_use: last_use(self.earlier_used_at, self.earlier_used_address.as_deref()),
            secrets: secrets.into_iter().map(SecretRow::into_secret).collect::<Result<_, _>>()?,
            details: settings.details(id.kind()).map_err(wrong)?,
            numbers: ChangeNumbers {
                created: self.created_sequence,
                owner: settings.owner_sequence,
                customers: ties.sequence,
            },
            id,
        })
    }
}

/// A row of the table `credential_secrets`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = credential_secrets, treat_none_as_default_value = false)]
pub struct SecretRow {
    pub(super) id: String,
    pub(super) credential: String,
    #[serde(with = "base64_text::optional")]
    digest: Option<Vec<u8>>,
    hash: Option<String>,
    #[serde(with = "base64_text::optional")]
    keyed_digest: Option<Vec<u8>>,
    prefix: String,
    last_four: String,
    created_at: i64,
    ends_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
    pub(super) last_used_address: Option<String>,
}

impl SecretRow {
    /// Converts a secret of `credential` to its row.
    pub fn new(credential: &CredentialId, secret: &StoredSecret) -> Self {
        let (digest, hash, keyed_digest) = match &secret.hash {
            SecretHash::Sha256(digest) => (Some(digest.to_vec()), None, None),
            SecretHash::Client { argon2id, digest } => {
                (None, Some(argon2id.clone()), digest.map(KeyedDigest::to_bytes))
            }
        };
        Self {
            id: secret.id.to_string(),
            credential: credential.to_string(),
            digest,
            hash,
            keyed_digest,
            prefix: secret.prefix.clone(),
            last_four: secret.last_four.clone(),
            created_at: secret.created_at.millis(),
            ends_at: secret.ends_at.map(Timestamp::millis),
            last_used_at: secret.last_use.map(|used| used.at.millis()),
            last_used_address: secret.last_use.and_then(|used| used.address).map(|address| address.to_string()),
        }
    }

    fn into_secret(self) -> Result<StoredSecret, StoreError> {
        let wrong = |column| damaged("credential_secrets", &self.id, column);
        let hash = match (self.digest, self.hash) {
            (Some(digest), None) => SecretHash::Sha256(digest.try_into().map_err(|_| wrong("digest"))?),
            (None, Some(argon2id)) => {
                let digest = self.keyed_digest.as_deref().map(|bytes| KeyedDigest::from_bytes(bytes).ok_or(()));
                SecretHash::Client { argon2id, digest: digest.transpose().map_err(|()| wrong("keyed_digest"))? }
            }
            _ => return Err(wrong("hash")),
        };
        Ok(StoredSecret {
            id: self.id.parse().map_err(|_| wrong("id"))?,
            hash,
            prefix: self.prefix,
            last_four: self.last_four,
            created_at: Timestamp::from_millis(self.created_at),
            ends_at: self.ends_at.map(Timestamp::from_millis),
            last_use: last_use(self.last_used_at, self.last_used_address.as_deref()),
        })
    }
}

fn last_use(at: Option<i64>, address: Option<&str>) -> Option<LastUse> {
    let address = address.and_then(|address| address.parse().ok());
    at.map(|at| LastUse { at: Timestamp::from_millis(at), address })
}

/// Reads a column of scopes, which may be empty.
pub(super) fn scopes_of(text: &str) -> Result<Scopes, &'static str> {
    split(text).map(str::parse).collect::<Result<Vec<_>, _>>().and_then(Scopes::new)
}

fn limit_of(value: Option<i64>) -> Result<Option<u32>, std::num::TryFromIntError> {
    value.map(u32::try_from).transpose()
}
