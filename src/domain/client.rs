//! OAuth clients: what one is, what state it is in, and what it may be given.

use super::audience::{Audience, EnvironmentAudiences};
use super::credential::{Place, State, Status};
use super::environment::Environment;
use super::ids::{ClientId, CustomerId, SecretId, UserId};
use super::network::Networks;
use super::rate::RateLimits;
use super::scope::Scopes;
use super::signing_key::Algorithm;
use super::time::{Duration, Timestamp};

/// Longest and usual life of a token, in seconds.
pub const LIFETIME_MAX: i64 = 3600;
/// Shortest life of a token that can be set, in seconds.
pub const LIFETIME_MIN: i64 = 1;
/// A client has at most this many live secrets.
pub const LIVE_SECRETS_MAX: usize = 2;

/// An OAuth client. Its `id` is the `client_id` of the protocol.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its one id.
    pub id: ClientId,
    /// The one environment whose endpoints accept it.
    pub environment: Environment,
    /// What people call it.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// What it may at most be granted.
    pub scopes: Scopes,
    /// What it gets when it asks for no scope; its scopes, unless narrower.
    pub default_scopes: Option<Scopes>,
    /// Audiences as they were named; empty for its environment's default.
    pub audiences: Vec<Audience>,
    /// Audiences whose tokens it may introspect, being their resource server.
    pub resource_for: Vec<Audience>,
    /// Where it may be used from; anywhere if empty.
    pub allowed_ips: Networks,
    /// How long its tokens live.
    pub token_lifetime: Duration,
    /// What its tokens are signed with; its environment's algorithm if `None`.
    pub signing_algorithm: Option<Algorithm>,
    /// How often it may ask.
    pub limits: RateLimits,
    /// What an operator has decided.
    pub state: State,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
    /// The user whom it belongs to; the organisation if `None`.
    pub owner: Option<UserId>,
    /// The customers that it is tied to; any, if empty.
    pub customers: Vec<CustomerId>,
    /// Tokens issued before this instant are no longer active.
    pub tokens_revoked_before: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When its newest secret was made.
    pub rotated_at: Timestamp,
    /// Its secrets that have not ended, newest first.
    pub secrets: Vec<ClientSecret>,
}

/// One secret of a client, as it is stored.
#[derive(Clone)]
pub struct ClientSecret {
    /// Its id, for people and for the tag that binds the secret to it.
    pub id: SecretId,
    /// Argon2id, as a PHC string.
    pub hash: String,
    /// The last four characters, for people.
    pub last_four: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted.
    pub ends_at: Option<Timestamp>,
    /// When it was last accepted, to within a second or so.
    pub last_used_at: Option<Timestamp>,
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ClientSecret {
    /// Whether the secret is accepted at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

/// What was asked for lies beyond what the client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondClient;

impl Client {
    /// The client's status at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        self.state.status(self.expires_at, now)
    }

    /// Where it stands.
    pub fn place(&self) -> Place<'_> {
        Place { environment: self.environment, owner: self.owner.as_ref(), customers: &self.customers }
    }

    /// Whether its secret should be replaced: the newest is older than `age`, and it is not at its end anyway.
    pub fn is_rotation_due(&self, age: Duration, now: Timestamp) -> bool {
        matches!(self.status(now), Status::Active | Status::Inactive) && self.rotated_at.plus(age) <= now
    }

    /// The secrets that are accepted at `now`.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &ClientSecret> {
        self.secrets.iter().filter(move |secret| secret.is_live(now))
    }

    /// The scopes that a request gets which asks for `requested`, where an owner's role allows no more than `ceiling`.
    ///
    /// # Errors
    /// Something asked for is not covered, or nothing is left (`invalid_scope`).
    pub fn negotiate_scope(&self, requested: Option<Scopes>, ceiling: Option<&Scopes>) -> Result<Scopes, BeyondClient> {
        let cut = |scopes: &Scopes| ceiling.map_or_else(|| scopes.clone(), |ceiling| scopes.cut_to(ceiling));
        match requested {
            Some(requested)
                if self.scopes.cover_all(&requested) && ceiling.is_none_or(|ceiling| ceiling.allow_all(&requested)) =>
            {
                Ok(requested)
            }
            Some(_) => Err(BeyondClient),
            None => {
                let granted = cut(self.default_scopes.as_ref().unwrap_or(&self.scopes));
                if granted.is_empty() { Err(BeyondClient) } else { Ok(granted) }
            }
        }
    }

    /// The audiences that the client has: the named ones or else its environment's default, and the management API
    /// for a client with management permissions (first where none was named, so that its tokens fit what it is for).
    pub fn effective_audiences(&self, environment: &EnvironmentAudiences) -> Vec<Audience> {
        let mut audiences = self.audiences.clone();
        if self.scopes.has_management() && !audiences.contains(&environment.management) {
            audiences.push(environment.management.clone());
        }
        if self.audiences.is_empty() && self.scopes.iter().any(|scope| !scope.is_management()) {
            audiences.push(environment.default.clone());
        }
        if audiences.is_empty() {
            audiences.push(environment.default.clone());
        }
        audiences
    }

    /// The audiences of a token for a request that asks for `requested`.
    ///
    /// # Errors
    /// Something asked for is not among the client's audiences (`invalid_target`).
    pub fn negotiate_audience(
        &self,
        requested: &[Audience],
        environment: &EnvironmentAudiences,
    ) -> Result<Vec<Audience>, BeyondClient> {
        let mut own = self.effective_audiences(environment);
        if requested.is_empty() {
            own.truncate(1);
            return Ok(own);
        }
        let mut audiences: Vec<Audience> = Vec::with_capacity(requested.len());
        for audience in requested {
            if !own.contains(audience) {
                return Err(BeyondClient);
            }
            if !audiences.contains(audience) {
                audiences.push(audience.clone());
            }
        }
        Ok(audiences)
    }

    /// When a token issued at `now` expires: after the client's token lifetime, never past the client's own end.
    /// `None` where that leaves no whole second (RFC 7519 §2: numeric dates of tokens are seconds).
    pub fn token_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        let lifetime = now.seconds() + self.token_lifetime.as_seconds();
        let expiry = self.expires_at.map_or(lifetime, |end| lifetime.min(end.seconds()));
        (expiry > now.seconds()).then(|| Timestamp::from_seconds(expiry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(scopes: &str, audiences: &[&str]) -> Client {
        let at = Timestamp::from_seconds(1_000);
        Client {
            id: ClientId::new(at, &[0; 10]),
            environment: Environment::Production,
            name: "billing".into(),
            description: String::new(),
            scopes: scopes.parse().unwrap(),
            default_scopes: None,
            audiences: audiences.iter().map(|text| text.parse().unwrap()).collect(),
            resource_for: vec![],
            allowed_ips: Networks::default(),
            token_lifetime: Duration::seconds(LIFETIME_MAX),
            signing_algorithm: None,
            limits: RateLimits::default(),
            state: State::Enabled,
            expires_at: None,
            owner: None,
            customers: vec![],
            tokens_revoked_before: None,
            created_at: at,
            updated_at: at,
            rotated_at: at,
            secrets: vec![],
        }
    }

    fn environment() -> EnvironmentAudiences {
        EnvironmentAudiences {
            default: "https://a.example/resources".parse().unwrap(),
            management: "https://a.example/api/v1".parse().unwrap(),
        }
    }

    #[test]
    fn audiences_default_to_the_environment_and_include_the_management_api_where_it_is_permitted() {
        for (scopes, named, expected) in [
            ("read", vec![], vec!["https://a.example/resources"]),
            ("read", vec!["x", "y"], vec!["x", "y"]),
            ("sealwright.clients:read", vec![], vec!["https://a.example/api/v1"]),
            ("sealwright.clients:read", vec!["x"], vec!["x", "https://a.example/api/v1"]),
            ("read sealwright.clients:read", vec![], vec!["https://a.example/api/v1", "https://a.example/resources"]),
        ] {
            let found: Vec<String> =
                client(scopes, &named).effective_audiences(&environment()).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{scopes} {named:?}");
        }
    }

    #[test]
    fn a_token_names_what_was_asked_for_or_the_first_audience() {
        let client = client("read", &["x", "y"]);
        let ask = |names: &[&str]| {
            let requested: Vec<Audience> = names.iter().map(|name| name.parse().unwrap()).collect();
            client.negotiate_audience(&requested, &environment())
        };
        assert_eq!(ask(&[]).unwrap(), vec!["x".parse().unwrap()]);
        assert_eq!(ask(&["y", "x", "y"]).unwrap(), vec!["y".parse().unwrap(), "x".parse().unwrap()]);
        assert_eq!(ask(&["x", "z"]), Err(BeyondClient));
    }

    #[test]
    fn the_final_state_outweighs_what_can_be_undone() {
        let mut client = client("read", &[]);
        let now = Timestamp::from_seconds(2_000);
        assert_eq!(client.status(now), Status::Active);
        client.state = State::Disabled;
        assert_eq!(client.status(now), Status::Inactive);
        client.expires_at = Some(now);
        assert_eq!(client.status(now), Status::Expired);
        assert_eq!(client.status(Timestamp::from_millis(1_999_999)), Status::Inactive);
        client.state = State::Revoked;
        assert_eq!(client.status(now), Status::Revoked);
    }

    #[test]
    fn a_token_never_outlives_its_client() {
        let mut client = client("read", &[]);
        let now = Timestamp::from_seconds(2_000);
        assert_eq!(client.token_expiry(now), Some(Timestamp::from_seconds(5_600)));
        client.expires_at = Some(Timestamp::from_millis(2_100_900));
        assert_eq!(client.token_expiry(now), Some(Timestamp::from_seconds(2_100)));
        assert_eq!(client.token_expiry(Timestamp::from_millis(2_099_999)), Some(Timestamp::from_seconds(2_100)));
        assert_eq!(client.token_expiry(Timestamp::from_millis(2_100_100)), None, "though it is active for 800 ms more");
    }
}
