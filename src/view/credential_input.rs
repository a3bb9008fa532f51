//! Inputs of requests and commands for clients and API keys. Settings that both have are declared once.

use super::field::{
    AllowedNetworks, Audiences, Customers, Flag, Grace, GrantedScopes, KeyPrefix, LastFour, RateLimit, SentSecret,
    TokenLifetime,
};
use super::input::{Changed, Nullable, Optional, Patched, Reader, Required, input};
use super::metadata::MetadataPairs;
use crate::domain::credential::{
    Changes, CredentialInput, DetailChanges, KeyType, LIFETIME_MAX, NewCredential, NewKind, Preset, Status,
};
use crate::domain::environment::Environment;
use crate::domain::ids::UserId;
use crate::domain::network::Networks;
use crate::domain::patch::Patch;
use crate::domain::reference::{CustomerReference, UserReference};
use crate::domain::signing_key::Algorithm;
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};
use crate::domain::token::TokenTyp;

input! {
    /// Settings that clients and API keys share.
    pub struct CredentialSettings {
        /// What it is for. Null removes it.
        description: Patched<Description>,
        /// Addresses and CIDR blocks that it may be used from. Null or an empty list means anywhere.
        allowed_ips: Patched<AllowedNetworks>,
        /// Requests a minute. Null means unlimited.
        rate_per_minute: Patched<RateLimit>,
        /// Requests at once, refilled within a second. Null means unlimited.
        burst_per_second: Patched<RateLimit>,
        /// When it stops being accepted; in the future. Null means never.
        expires_at: Patched<Timestamp>,
        /// The customers that it is tied to, by either of their ids. Null or an empty list means none.
        customers: Patched<Customers>,
        /// Pairs of text to keep with it; null as a value removes a pair, and others stay. Null removes all.
        metadata: Patched<MetadataPairs>,
    }

    /// Settings that only clients have.
    pub struct ClientSettings {
        /// What the client gets when it asks for no scope. Null means all of its scopes.
        default_scopes: Patched<GrantedScopes>,
        /// The audiences of its tokens, the first for requests that name none. Null means its environment's default.
        audiences: Patched<Audiences>,
        /// Audiences whose tokens it may introspect as their resource server. Null means none.
        resource_for: Patched<Audiences>,
        /// Seconds that its tokens live. Null means 3600.
        token_lifetime: Patched<TokenLifetime>,
        /// What its tokens are signed with. Null means its environment's algorithm.
        signing_algorithm: Patched<Algorithm>,
        /// The `typ` of its tokens. Null means its environment's.
        token_typ: Patched<TokenTyp>,
    }

    /// A client to create. A setting that is absent has its default.
    pub struct ClientCreate {
        /// What people call it.
        name: Required<Name>,
        /// What it may be granted at most, management permissions among them.
        scopes: Required<GrantedScopes>,
        /// The caller's own, unless given. Through the API no other can be given.
        environment: Optional<Environment>,
        /// The user who owns it, by id or e-mail address; the caller's own owner, unless given.
        owner: Optional<UserReference>,
        ..settings: CredentialSettings,
        ..client: ClientSettings,
    }

    /// Settings of a client to change. A setting that is absent stays as it is.
    pub struct ClientUpdate {
        /// What people call it.
        name: Changed<Name>,
        /// What it may be granted at most, management permissions among them.
        scopes: Changed<GrantedScopes>,
        ..settings: CredentialSettings,
        ..client: ClientSettings,
    }

    /// An API key to create. A setting that is absent has its default.
    pub struct ApiKeyCreate {
        /// Its purpose, in a few words.
        name: Required<Name>,
        /// What it may do; the type's default, unless given.
        scopes: Changed<GrantedScopes>,
        /// Its scopes by one word.
        preset: Changed<Preset>,
        /// `partner`, unless given.
        r#type: Optional<KeyType>,
        /// The caller's own, unless given. Through the API no other can be given.
        environment: Optional<Environment>,
        /// The user who owns it, by id or e-mail address; the caller's own owner, unless given.
        owner: Optional<UserReference>,
        ..settings: CredentialSettings,
        check scopes_of_new_key,
    }

    /// Settings of an API key to change. A setting that is absent stays as it is.
    pub struct ApiKeyUpdate {
        /// Its purpose, in a few words.
        name: Changed<Name>,
        /// What it may do.
        scopes: Changed<GrantedScopes>,
        /// Its scopes by one word.
        preset: Changed<Preset>,
        ..settings: CredentialSettings,
        check preset_or_scopes,
    }

    /// How a secret is replaced.
    pub struct SecretRotation {
        /// How long the old secret remains valid: an integer and `s`, `m`, `h` or `d`; at most 30 days.
        grace: Optional<Grace>,
    }

    /// The new owner of a credential.
    pub struct Transfer {
        /// A user, by id or e-mail address. Null means the organisation.
        owner: Nullable<UserReference>,
    }

    /// Which credentials to list.
    pub struct CredentialFilters {
        /// Only credentials of this environment.
        environment: Optional<Environment>,
        /// Only credentials whose names begin with this; case matters.
        name: Optional<Name>,
        /// Only credentials with this status of their own: owners and customers are not looked at.
        status: Optional<Status>,
        /// Only credentials of this user.
        owner: Optional<UserId>,
        /// Only credentials that are tied to this customer, by either of its ids.
        customer: Optional<CustomerReference>,
        /// Only credentials that are due to be rotated, or only those that are not.
        rotation_due: Optional<Flag>,
    }

    /// Which API keys to list.
    pub struct ApiKeyFilters {
        /// Only keys of this type.
        r#type: Optional<KeyType>,
        /// Only keys that have or had a value that begins with this, as it is shown.
        prefix: Optional<KeyPrefix>,
        /// Only keys that have or had a value that ends with these four characters.
        last_four: Optional<LastFour>,
        ..credentials: CredentialFilters,
    }

    /// An API key to find.
    pub struct KeySearch {
        /// Its value, one that was replaced included.
        key: Required<SentSecret>,
    }
}

/// `scoped` says that the scopes are named, every other preset names them itself.
fn preset_or_scopes(reader: &mut Reader) {
    match (reader.is("preset", Preset::Scoped.as_str()), reader.has("scopes")) {
        (true, false) => reader.fail("scopes", "is required with the preset scoped"),
        (false, true) if reader.has("preset") => reader.fail("preset", "must be scoped where scopes are named"),
        _ => {}
    }
}

/// Only keys of type `client` have scopes by default.
fn scopes_of_new_key(reader: &mut Reader) {
    preset_or_scopes(reader);
    if !reader.has("scopes") && !reader.has("preset") && !reader.is("type", KeyType::Client.as_str()) {
        reader.fail("scopes", "is required for a key of this type");
    }
}

impl CredentialSettings {
    /// The changes that they make, and the customers that they name.
    fn split(self) -> (Changes, Patch<Vec<String>>) {
        let changes = Changes {
            description: self.description.or_cleared(Description::default()),
            allowed_ips: self.allowed_ips.or_cleared(Networks::default()),
            rate_per_minute: self.rate_per_minute,
            burst_per_second: self.burst_per_second,
            expires_at: self.expires_at,
            metadata: self.metadata,
            ..Changes::default()
        };
        let names = |customers: Vec<CustomerReference>| customers.iter().map(CustomerReference::to_string).collect();
        (changes, self.customers.map(names))
    }
}

impl ClientSettings {
    fn changes(self) -> DetailChanges {
        DetailChanges {
            default_scopes: self.default_scopes,
            audiences: self.audiences.or_cleared(vec![]),
            resource_for: self.resource_for.or_cleared(vec![]),
            token_lifetime: self.token_lifetime.or_cleared(Duration::seconds(LIFETIME_MAX)),
            signing_algorithm: self.signing_algorithm,
            token_typ: self.token_typ,
        }
    }
}

impl From<ClientUpdate> for CredentialInput {
    fn from(ClientUpdate { name, scopes, settings, client }: ClientUpdate) -> Self {
        let (changes, customers) = settings.split();
        Self { changes: Changes { name, scopes, client: client.changes(), ..changes }, customers }
    }
}

impl From<ClientCreate> for NewCredential {
    fn from(ClientCreate { name, scopes, environment, owner, settings, client }: ClientCreate) -> Self {
        let update = ClientUpdate { name: Some(name), scopes: Some(scopes), settings, client };
        let owner = owner.map(|owner| owner.to_string());
        Self { kind: NewKind::Client, environment, owner, input: update.into() }
    }
}

impl From<ApiKeyUpdate> for CredentialInput {
    fn from(ApiKeyUpdate { name, scopes, preset, settings }: ApiKeyUpdate) -> Self {
        let (changes, customers) = settings.split();
        let scopes = preset.and_then(Preset::scopes).or(scopes);
        Self { changes: Changes { name, scopes, ..changes }, customers }
    }
}

impl From<ApiKeyCreate> for NewCredential {
    fn from(ApiKeyCreate { name, scopes, preset, r#type, environment, owner, settings }: ApiKeyCreate) -> Self {
        let update = ApiKeyUpdate { name: Some(name), scopes, preset, settings };
        let kind = NewKind::ApiKey(r#type.unwrap_or(KeyType::Partner));
        Self { kind, environment, owner: owner.map(|owner| owner.to_string()), input: update.into() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::view::input::Input;

    fn scopes(value: Value) -> Result<Option<String>, String> {
        let Value::Object(members) = value else { panic!("not an object") };
        match ApiKeyCreate::read(members) {
            Ok(create) => Ok(NewCredential::from(create).input.changes.scopes.map(|scopes| scopes.to_string())),
            Err(errors) => {
                let errors: Vec<String> =
                    errors.iter().map(|error| format!("{} {}", error.field, error.wrong)).collect();
                Err(errors.join("; "))
            }
        }
    }

    #[test]
    fn presets_are_scopes_by_one_word() {
        for (given, expected) in [
            (json!({"name": "a", "type": "client"}), Ok(None)),
            (json!({"name": "a", "scopes": ["x:y"]}), Ok(Some("x:y"))),
            (json!({"name": "a", "preset": "write"}), Ok(Some("read write"))),
            (json!({"name": "a", "preset": "scoped", "scopes": ["x:y"]}), Ok(Some("x:y"))),
            (json!({"name": "a", "preset": "scoped"}), Err("scopes is required with the preset scoped")),
            (
                json!({"name": "a", "preset": "full", "scopes": ["x:y"], "token_lifetime": 1}),
                Err("preset must be scoped where scopes are named; token_lifetime is not a field of this object"),
            ),
        ] {
            let expected = expected.map(|scopes| scopes.map(str::to_owned)).map_err(str::to_owned);
            assert_eq!(scopes(given.clone()), expected, "{given}");
        }
    }
}
