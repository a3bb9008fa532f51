//! What distinguishes a client from an API key: what its tokens may carry.

use super::Credential;
use crate::domain::audience::{Audience, EnvironmentAudiences};
use crate::domain::scope::Scopes;
use crate::domain::signing_key::Algorithm;
use crate::domain::time::{Duration, Timestamp};

/// Longest and usual life of a token, in seconds.
pub const LIFETIME_MAX: i64 = 3600;
/// Shortest life of a token that can be set, in seconds.
pub const LIFETIME_MIN: i64 = 1;

/// What a client has beside the fields of every credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDetails {
    /// What it gets when it asks for no scope; its scopes, unless narrower.
    pub default_scopes: Option<Scopes>,
    /// Audiences as they were named; empty for its environment's default.
    pub audiences: Vec<Audience>,
    /// Audiences whose tokens it may introspect, being their resource server.
    pub resource_for: Vec<Audience>,
    /// How long its tokens live.
    pub token_lifetime: Duration,
    /// What its tokens are signed with; its environment's algorithm if `None`.
    pub signing_algorithm: Option<Algorithm>,
    /// Tokens issued before this instant are no longer active.
    pub tokens_revoked_before: Option<Timestamp>,
}

impl Default for ClientDetails {
    fn default() -> Self {
        Self {
            default_scopes: None,
            audiences: vec![],
            resource_for: vec![],
            token_lifetime: Duration::seconds(LIFETIME_MAX),
            signing_algorithm: None,
            tokens_revoked_before: None,
        }
    }
}

impl ClientDetails {
    /// Ends all tokens that were issued before `now`. The moment never decreases, so that a clock that steps back revives no
    /// token.
    pub fn revoke_tokens(&mut self, now: Timestamp) {
        self.tokens_revoked_before = self.tokens_revoked_before.max(Some(now));
    }
}

/// A credential that is known to be a client.
#[derive(Clone, Copy, Debug)]
pub struct Client<'c> {
    /// The credential.
    pub credential: &'c Credential,
    /// Its settings as a client.
    pub details: &'c ClientDetails,
}

/// A request asked for something beyond what the client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondClient;

impl Client<'_> {
    /// The scopes of a token for a request that asks for `requested`, where the owner's role allows no more than `ceiling`.
    ///
    /// # Errors
    /// Something asked for is not covered, or nothing is left (`invalid_scope`).
    pub fn negotiate_scope(
        &self,
        requested: Option<&Scopes>,
        ceiling: Option<&Scopes>,
    ) -> Result<Scopes, BeyondClient> {
        let own = &self.credential.scopes;
        let cut = |scopes: &Scopes| ceiling.map_or_else(|| scopes.clone(), |ceiling| scopes.cut_to(ceiling));
        match requested {
            Some(requested)
                if own.cover_all(requested) && ceiling.is_none_or(|ceiling| ceiling.allow_all(requested)) =>
            {
                Ok(requested.clone())
            }
            Some(_) => Err(BeyondClient),
            None => {
                let granted = cut(self.details.default_scopes.as_ref().unwrap_or(own));
                if granted.is_empty() { Err(BeyondClient) } else { Ok(granted) }
            }
        }
    }

    /// The audiences that the client has: the named ones or else its environment's default, and the management API
    /// for a client with management permissions (first where none was named, so that its tokens fit what it is for).
    pub fn effective_audiences(&self, environment: &EnvironmentAudiences) -> Vec<Audience> {
        let mut audiences = self.details.audiences.clone();
        if self.credential.scopes.has_management() && !audiences.contains(&environment.management) {
            audiences.push(environment.management.clone());
        }
        if self.details.audiences.is_empty() && self.credential.scopes.iter().any(|scope| !scope.is_management()) {
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
        let lifetime = now.seconds() + self.details.token_lifetime.as_seconds();
        let expiry = self.credential.expires_at.map_or(lifetime, |end| lifetime.min(end.seconds()));
        (expiry > now.seconds()).then(|| Timestamp::from_seconds(expiry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{Details, samples};

    fn client(scopes: &str, audiences: &[&str]) -> Credential {
        let audiences = audiences.iter().map(|text| text.parse().unwrap()).collect();
        Credential {
            scopes: scopes.parse().unwrap(),
            details: Details::Client(ClientDetails { audiences, ..ClientDetails::default() }),
            ..samples::client()
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
            let found: Vec<String> = client(scopes, &named)
                .as_client()
                .unwrap()
                .effective_audiences(&environment())
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found, expected, "{scopes} {named:?}");
        }
    }

    #[test]
    fn a_token_names_what_was_asked_for_or_the_first_audience() {
        let client = client("read", &["x", "y"]);
        let ask = |names: &[&str]| {
            let requested: Vec<Audience> = names.iter().map(|name| name.parse().unwrap()).collect();
            client.as_client().unwrap().negotiate_audience(&requested, &environment())
        };
        assert_eq!(ask(&[]).unwrap(), vec!["x".parse().unwrap()]);
        assert_eq!(ask(&["y", "x", "y"]).unwrap(), vec!["y".parse().unwrap(), "x".parse().unwrap()]);
        assert_eq!(ask(&["x", "z"]), Err(BeyondClient));
    }

    #[test]
    fn a_token_never_outlives_its_client() {
        let mut client = client("read", &[]);
        let now = Timestamp::from_seconds(2_000);
        assert_eq!(client.as_client().unwrap().token_expiry(now), Some(Timestamp::from_seconds(5_600)));
        client.expires_at = Some(Timestamp::from_millis(2_100_900));
        assert_eq!(client.as_client().unwrap().token_expiry(now), Some(Timestamp::from_seconds(2_100)));
        assert_eq!(
            client.as_client().unwrap().token_expiry(Timestamp::from_millis(2_099_999)),
            Some(Timestamp::from_seconds(2_100))
        );
        assert_eq!(
            client.as_client().unwrap().token_expiry(Timestamp::from_millis(2_100_100)),
            None,
            "though it is active for 800 ms more"
        );
    }

    #[test]
    fn a_clock_that_steps_back_revives_no_token() {
        let mut details = ClientDetails::default();
        details.revoke_tokens(Timestamp::from_seconds(2_000));
        details.revoke_tokens(Timestamp::from_seconds(1_000));
        assert_eq!(details.tokens_revoked_before, Some(Timestamp::from_seconds(2_000)));
    }
}
