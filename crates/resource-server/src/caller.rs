//! The caller of a request.

use serde::{Deserialize, Serialize};

use crate::covers;
use crate::refusal::{Reason, Refusal};

/// The caller of a request, with a credential that was verified.
///
/// ```
/// use sealwright_resource_server::Caller;
///
/// fn log_line(caller: &Caller) -> String {
///     format!("{} of {:?} with {}", caller.credential, caller.environment, caller.scopes.join(" "))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The id of the credential: the client's `client_id` for a token, `key_…` for an API key.
    pub credential: String,
    /// The kind of credential.
    pub kind: CallerKind,
    /// The scopes: of a token as it was issued, of an API key as they are now.
    pub scopes: Vec<String>,
    /// The customers that the credential may be used for, by their external ids: the ids on your own platform, which
    /// never change and are never given again. A credential without ties serves every customer, and has none here. See
    /// [`Caller::acts_for`].
    pub customers: Vec<String>,
    /// The user who owns an API key. A token does not name its owner.
    pub owner: Option<String>,
    /// The environment of the credential.
    pub environment: Environment,
    /// The id of the token (`jti`), for logs. An API key has none.
    pub token_id: Option<String>,
}

impl Caller {
    /// Returns whether the caller's scopes cover a scope, for decisions that depend on the body of the request.
    ///
    /// ```
    /// use sealwright_resource_server::Caller;
    ///
    /// fn may_approve(caller: &Caller, amount: u32) -> bool {
    ///     amount < 1000 || caller.has_scope("orders:approve")
    /// }
    /// ```
    pub fn has_scope(&self, required: &str) -> bool {
        self.scopes.iter().any(|granted| covers(granted, required))
    }

    /// Returns whether the caller may act on the data of a customer, by its external id. A credential without ties may
    /// act on every customer's.
    ///
    /// ```
    /// use sealwright_resource_server::Caller;
    ///
    /// fn visible<'o>(caller: &Caller, orders: &'o [(&str, u32)]) -> Vec<&'o (&'o str, u32)> {
    ///     orders.iter().filter(|(customer, _)| caller.acts_for(customer)).collect()
    /// }
    /// ```
    pub fn acts_for(&self, customer: &str) -> bool {
        self.customers.is_empty() || self.customers.iter().any(|own| own == customer)
    }

    /// Checks that the caller may act on the data of a customer, by its external id.
    ///
    /// ```
    /// use sealwright_resource_server::{Caller, Refusal};
    ///
    /// fn orders_of(caller: &Caller, customer: &str) -> Result<Vec<u32>, Refusal> {
    ///     caller.require_customer(customer)?;
    ///     Ok(vec![])
    /// }
    /// ```
    ///
    /// # Errors
    /// It may not: 403.
    pub fn require_customer(&self, customer: &str) -> Result<(), Refusal> {
        // This refusal has no challenge, which would name the realm: another credential of the caller would not help.
        if self.acts_for(customer) { Ok(()) } else { Err(Refusal::new(Reason::WrongCustomer, "".into())) }
    }
}

/// The kind of credential that a caller has.
///
/// ```
/// use sealwright_resource_server::{Caller, CallerKind};
///
/// /// A token that was revoked is accepted until it expires; a key is checked in each request.
/// fn is_current(caller: &Caller) -> bool {
///     caller.kind == CallerKind::ApiKey
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// An access token (RFC 9068), verified offline.
    Token,
    /// An API key, verified by Sealwright.
    ApiKey,
}

/// An environment of Sealwright. Each environment has its own keys and credentials; another environment's are refused.
///
/// ```
/// use sealwright_resource_server::{Environment, ResourceServer};
///
/// # fn main() -> Result<(), sealwright_resource_server::BuildError> {
/// let server = ResourceServer::builder("https://auth.example.com/staging", "https://api.example.com")
///     .environment(Environment::Staging)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// The issuer is Sealwright's public address.
    Production,
    /// The issuer ends in `/staging`.
    Staging,
    /// The issuer ends in `/development`.
    Development,
}

impl Environment {
    /// Splits an issuer into Sealwright's public address and the environment.
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

    fn caller(scopes: &[&str]) -> Caller {
        Caller {
            credential: "key_1".to_owned(),
            kind: CallerKind::ApiKey,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            customers: Vec::new(),
            owner: None,
            environment: Environment::Production,
            token_id: None,
        }
    }

    #[test]
    fn scopes_cover_as_in_the_vectors() {
        for vector in sealwright_scope::vectors() {
            assert_eq!(caller(&[vector.granted]).has_scope(vector.required), vector.covers, "{vector:?}");
            assert_eq!(caller(&["x", vector.granted]).has_scope(vector.required), vector.covers, "{vector:?}");
        }
        assert!(!caller(&[]).has_scope("orders:read"));
    }

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
    fn customers_limit_whom_a_caller_acts_for() {
        let mut caller = caller(&[]);
        assert!(caller.acts_for("acme"));
        caller.customers.push("acme".to_owned());
        assert!(caller.acts_for("acme") && !caller.acts_for("globex"));
        assert!(caller.require_customer("acme").is_ok());
        assert_eq!(caller.require_customer("globex").unwrap_err().reason(), Reason::WrongCustomer);
    }
}
