//! Inputs of requests and commands for clients and API keys. Settings that both have are declared once.

use super::field::{AllowedNetworks, Audiences, Customers, Flag, Grace, GrantedScopes, RateLimit, TokenLifetime};
use super::input::{Changed, Nullable, Optional, Patched, Reader, Required, input};
use crate::domain::credential::{
    Changes, CredentialInput, DetailChanges, KeyType, LIFETIME_MAX, NewCredential, NewKind, Preset, Status,
};
use crate::domain::environment::Environment;
use crate::domain::field_error::FieldError;
use crate::domain::ids::UserId;
use crate::domain::network::Networks;
use crate::domain::patch::Patch;
use crate::domain::reference::{CustomerReference, UserReference};
use crate::domain::scope::Scopes;
use crate::domain::signing_key::Algorithm;
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};

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
    }

    /// Settings that only clients have.
    pub struct ClientSettings {
        /// What the client gets when it asks for no scope. Null means all of its scopes.
        default_scopes: Patched<GrantedScopes>,
        /// The audiences of its tokens; the first is for requests that name none. Null means its environment's default
        /// audience.
        audiences: Patched<Audiences>,
        /// Audiences whose tokens it may introspect as their resource server. Null means none.
        resource_for: Patched<Audiences>,
        /// Seconds that its tokens live. Null means 3600.
        token_lifetime: Patched<TokenLifetime>,
        /// What its tokens are signed with. Null means its environment's algorithm.
        signing_algorithm: Patched<Algorithm>,
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
        check needs_scopes,
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
        /// Only credentials with this status.
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
        ..credentials: CredentialFilters,
    }
}

/// Only keys of type `client` have scopes by default.
fn needs_scopes(reader: &mut Reader) {
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
            ..Changes::default()
        };
        let names = |customers: Vec<CustomerReference>| customers.iter().map(CustomerReference::to_string).collect();
        let customers = match self.customers {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(customers) => Patch::Set(names(customers)),
        };
        (changes, customers)
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
        }
    }
}

/// An end in the past.
fn ended(changes: &Changes, now: Timestamp) -> Option<FieldError> {
    match changes.expires_at {
        Patch::Set(end) if end <= now => Some(FieldError::new("expires_at", "must be in the future")),
        _ => None,
    }
}

fn checked(input: CredentialInput, errors: Vec<FieldError>) -> Result<CredentialInput, Vec<FieldError>> {
    if errors.is_empty() { Ok(input) } else { Err(errors) }
}

impl ClientUpdate {
    /// The changes that it makes at `now`.
    ///
    /// # Errors
    /// The fields that are invalid at `now`.
    pub fn into_input(self, now: Timestamp) -> Result<CredentialInput, Vec<FieldError>> {
        let (changes, customers) = self.settings.split();
        let errors = ended(&changes, now).into_iter().collect();
        let changes = Changes { name: self.name, scopes: self.scopes, client: self.client.changes(), ..changes };
        checked(CredentialInput { changes, customers }, errors)
    }
}

impl ClientCreate {
    /// The client to create at `now`.
    ///
    /// # Errors
    /// The fields that are invalid at `now`.
    pub fn into_new(self, now: Timestamp) -> Result<NewCredential, Vec<FieldError>> {
        let Self { name, scopes, environment, owner, settings, client } = self;
        let input = ClientUpdate { name: Some(name), scopes: Some(scopes), settings, client }.into_input(now)?;
        Ok(NewCredential { kind: NewKind::Client, environment, owner: owner.map(|owner| owner.to_string()), input })
    }
}

impl ApiKeyUpdate {
    /// The changes that it makes at `now`.
    ///
    /// # Errors
    /// The fields that are invalid at `now`, or do not go together.
    pub fn into_input(self, now: Timestamp) -> Result<CredentialInput, Vec<FieldError>> {
        let (changes, customers) = self.settings.split();
        let mut errors = ended(&changes, now).into_iter().collect();
        let scopes = scopes_of(self.scopes, self.preset, &mut errors);
        checked(CredentialInput { changes: Changes { name: self.name, scopes, ..changes }, customers }, errors)
    }
}

impl ApiKeyCreate {
    /// The API key to create at `now`.
    ///
    /// # Errors
    /// The fields that are invalid at `now`, or do not go together.
    pub fn into_new(self, now: Timestamp) -> Result<NewCredential, Vec<FieldError>> {
        let Self { name, scopes, preset, r#type, environment, owner, settings } = self;
        let input = ApiKeyUpdate { name: Some(name), scopes, preset, settings }.into_input(now)?;
        let kind = NewKind::ApiKey(r#type.unwrap_or(KeyType::Partner));
        Ok(NewCredential { kind, environment, owner: owner.map(|owner| owner.to_string()), input })
    }
}

/// The scopes that are named, or those of a preset. `scoped` says that they are named.
fn scopes_of(named: Option<Scopes>, preset: Option<Preset>, errors: &mut Vec<FieldError>) -> Option<Scopes> {
    let Some(preset) = preset else { return named };
    match (preset.scopes(), named) {
        (Some(scopes), None) => return Some(scopes),
        (None, Some(named)) => return Some(named),
        (None, None) => errors.push(FieldError::new("scopes", "is required with the preset scoped")),
        (Some(_), Some(_)) => errors.push(FieldError::new("preset", "must be scoped where scopes are named")),
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::view::input::Input;

    fn changes(value: Value) -> Result<Changes, Vec<(String, String)>> {
        let Value::Object(members) = value else { panic!("not an object") };
        let input = ApiKeyCreate::read(members).unwrap();
        let new = input.into_new(Timestamp::from_seconds(1_800_000_000));
        new.map(|new| new.input.changes)
            .map_err(|errors| errors.into_iter().map(|error| (error.field, error.wrong)).collect())
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
                json!({"name": "a", "preset": "full", "scopes": ["x:y"]}),
                Err("preset must be scoped where scopes are named"),
            ),
        ] {
            let found = changes(given.clone()).map(|changes| changes.scopes.map(|scopes| scopes.to_string()));
            let found = found.map_err(|errors| errors.into_iter().map(|(field, what)| format!("{field} {what}")));
            let found = found.map_err(|errors| errors.collect::<Vec<_>>().join("; "));
            assert_eq!(found, expected.map(|scopes| scopes.map(str::to_owned)).map_err(str::to_owned), "{given}");
        }
    }

    #[test]
    fn an_end_is_in_the_future() {
        let errors =
            changes(json!({"name": "a", "preset": "write", "expires_at": "2020-01-01T00:00:00Z"})).unwrap_err();
        assert_eq!(errors, [("expires_at".to_owned(), "must be in the future".to_owned())]);
        assert!(changes(json!({"name": "a", "preset": "write", "expires_at": null})).is_ok());
    }
}
