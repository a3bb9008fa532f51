//! Credentials for unit tests.

use super::*;
use crate::domain::ids::{ApiKeyId, ClientId};

const AT: Timestamp = Timestamp::from_seconds(1_000);

fn with(id: CredentialId, details: Details) -> Credential {
    Credential {
        id,
        environment: Environment::Production,
        name: "sample".parse().unwrap(),
        description: Description::default(),
        scopes: "read".parse().unwrap(),
        allowed_ips: Networks::default(),
        limits: RateLimits::default(),
        state: State::Enabled,
        expires_at: None,
        owner: None,
        customers: vec![],
        metadata: Metadata::default(),
        created_at: AT,
        updated_at: AT,
        rotated_at: AT,
        earlier_use: None,
        secrets: vec![],
        details,
        numbers: ChangeNumbers::default(),
    }
}

/// Creates a client without secrets.
pub fn client() -> Credential {
    with(CredentialId::Client(ClientId::new(AT, &[0; 10])), Details::Client(ClientDetails::default()))
}

/// Creates an API key of this type, without values.
pub fn key(key_type: KeyType) -> Credential {
    with(CredentialId::ApiKey(ApiKeyId::new(AT, &[0; 10])), Details::ApiKey(KeyDetails { key_type }))
}

/// Creates a secret that was created at `at` and ends at `ends_at`, in seconds.
pub fn secret(at: i64, ends_at: Option<i64>) -> StoredSecret {
    let created_at = Timestamp::from_seconds(at);
    StoredSecret {
        id: SecretId::new(created_at, &[0; 10]),
        hash: SecretHash::Sha256([at.to_le_bytes()[0]; 32]),
        prefix: String::new(),
        last_four: String::new(),
        created_at,
        ends_at: ends_at.map(Timestamp::from_seconds),
        last_use: None,
    }
}
