//! The settings that only clients have, and what their tokens may carry.

use super::Credential;
use crate::domain::audience::{Audience, EnvironmentAudiences};
use crate::domain::scope::Scopes;
use crate::domain::signing_key::Algorithm;
use crate::domain::time::{Duration, Timestamp};
use crate::domain::token::TokenTyp;

/// Longest and default lifetime of a token, in seconds.
pub const LIFETIME_MAX: i64 = 3600;
/// Shortest lifetime of a token, in seconds.
pub const LIFETIME_MIN: i64 = 1;

/// The settings that only clients have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDetails {
    /// The scopes of a token request that names none; all scopes of the client if `None`.
    pub default_scopes: Option<Scopes>,
    /// The audiences of its tokens; empty for its environment's default.
    pub audiences: Vec<Audience>,
    /// Audiences whose tokens it may introspect, as their resource server.
    pub resource_for: Vec<Audience>,
    /// The lifetime of its tokens.
    pub token_lifetime: Duration,
    /// The signature algorithm of its tokens; its environment's if `None`.
    pub signing_algorithm: Option<Algorithm>,
    /// The `typ` of its tokens; its environment's if `None`.
    pub token_typ: Option<TokenTyp>,
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
            token_typ: None,
            tokens_revoked_before: None,
        }
    }
}

impl ClientDetails {
    /// Revokes all tokens that were issued at `latest` or before, the latest time at which this process can have issued
    /// one. The stored time never decreases: a clock that steps back makes no token valid again.
    pub fn revoke_tokens(&mut self, latest: Timestamp) {
        self.tokens_revoked_before = self.tokens_revoked_before.max(Some(latest));
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

/// The error of a request for more than the client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondClient;

impl Client<'_> {
    /// Returns the scopes of a token for a request that names `requested`. `ceiling` is what the owner's role allows.
    ///
    /// # Errors
    /// A requested scope is not covered, or no scope remains under the ceiling (`invalid_scope`).
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

    /// Returns the audiences of the client: its own, or else its environment's default. A client with management
    /// permissions also has the management API, which comes first if the client has no audiences of its own, so that
    /// its tokens work there by default.
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

    /// Returns the audiences of a token for a request that names `requested`; the client's first if it names none.
    ///
    /// # Errors
    /// A requested audience is not one of the client's (`invalid_target`).
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

    /// Returns when a token that is issued at `now` expires: after the client's token lifetime, but not after the
    /// client itself. `None` if less than a whole second remains (RFC 7519 §2: numeric dates of tokens are in seconds).
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
