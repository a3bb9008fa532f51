//! Who calls.

use serde::{Deserialize, Serialize};

use crate::scope::covers;

/// Who calls, by a credential that was found in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The id of the credential: `cli_…` for a token's client, `key_…` for an API key.
    pub credential: String,
    /// What the caller showed.
    pub kind: CallerKind,
    /// What it may do: of a token as it was issued, of an API key as it is now.
    pub scopes: Vec<String>,
    /// The customers that the credential is tied to; none where it serves them all. See [`Caller::acts_for`].
    pub customers: Vec<String>,
    /// The user whom an API key belongs to. A token does not say.
    pub owner: Option<String>,
    /// The environment that the credential is of.
    pub environment: Environment,
    /// The id of the token (`jti`), for logs. An API key has none.
    pub token_id: Option<String>,
}

impl Caller {
    /// Whether the caller's scopes cover this one, for what only the body of a request tells.
    pub fn has_scope(&self, required: &str) -> bool {
        self.scopes.iter().any(|granted| covers(granted, required))
    }

    /// Whether the credential may touch what is a customer's. One that is tied to none may touch all.
    pub fn acts_for(&self, customer: &str) -> bool {
        self.customers.is_empty() || self.customers.iter().any(|own| own == customer)
    }
}

/// What a caller shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// An access token (RFC 9068), verified offline.
    Token,
    /// An API key, which Sealwright was asked about.
    ApiKey,
}

/// An environment of Sealwright. Each has keys and credentials of its own; nothing crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// The issuer is Sealwright's public address itself.
    Production,
    /// The issuer ends in `/staging`.
    Staging,
    /// The issuer ends in `/development`.
    Development,
}

impl Environment {
    /// The address of Sealwright that an issuer's identifier begins with, and the issuer's environment.
    pub(crate) fn split(issuer: &str) -> (&str, Self) {
        let issuer = issuer.trim_end_matches('/');
        if let Some(base) = issuer.strip_suffix("/staging") {
            (base, Self::Staging)
        } else if let Some(base) = issuer.strip_suffix("/development") {
            (base, Self::Development)
        } else {
            (issuer, Self::Production)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_issuers() {
        for (issuer, expected) in [
            ("https://auth.example", ("https://auth.example", Environment::Production)),
            ("https://auth.example/", ("https://auth.example", Environment::Production)),
            ("https://auth.example/staging", ("https://auth.example", Environment::Staging)),
            ("https://a.example/auth/development", ("https://a.example/auth", Environment::Development)),
            ("https://staging.example", ("https://staging.example", Environment::Production)),
        ] {
            assert_eq!(Environment::split(issuer), expected);
        }
    }

    #[test]
    fn customers_bound_what_they_are_tied_to() {
        let mut caller = Caller {
            credential: "key_1".to_owned(),
            kind: CallerKind::ApiKey,
            scopes: vec!["orders:*".to_owned()],
            customers: Vec::new(),
            owner: None,
            environment: Environment::Production,
            token_id: None,
        };
        assert!(caller.acts_for("acme") && caller.has_scope("orders:read") && !caller.has_scope("stock:read"));
        caller.customers.push("acme".to_owned());
        assert!(caller.acts_for("acme") && !caller.acts_for("globex"));
    }
}
