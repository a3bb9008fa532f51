//! What may be said of a client, as text from outside, and reading it into values that cannot be wrong. All that is wrong
//! is reported at once, field by field.

use crate::domain::audience::{AUDIENCES_MAX, AUDIENCES_TEXT_MAX, Audience};
use crate::domain::client::{LIFETIME_MAX, LIFETIME_MIN};
use crate::domain::ids::CustomerId;
use crate::domain::network::Networks;
use crate::domain::scope::Scopes;
use crate::domain::signing_key::Algorithm;
use crate::domain::text;
use crate::domain::time::{Duration, Timestamp};
use crate::service::error::ServiceError;
use crate::service::input::{Patch, checked, future, limit, networks, scopes, shown};

/// The fields of a client as they come from outside; `Keep` means not mentioned.
#[derive(Clone, Debug, Default)]
pub struct ClientInput {
    /// Name.
    pub name: Patch<String>,
    /// Description.
    pub description: Patch<String>,
    /// Scopes.
    pub scopes: Patch<Vec<String>>,
    /// Scopes of a request that names none.
    pub default_scopes: Patch<Vec<String>>,
    /// Audiences.
    pub audiences: Patch<Vec<String>>,
    /// Audiences that it is the resource server of.
    pub resource_for: Patch<Vec<String>>,
    /// Addresses and CIDR blocks.
    pub allowed_ips: Patch<Vec<String>>,
    /// Seconds.
    pub token_lifetime: Patch<i64>,
    /// JWS name.
    pub signing_algorithm: Patch<String>,
    /// Requests a minute; cleared is unlimited.
    pub rate_per_minute: Patch<i64>,
    /// Requests at once; cleared is unlimited.
    pub burst_per_second: Patch<i64>,
    /// RFC 3339.
    pub expires_at: Patch<String>,
    /// Customers, by either of their ids.
    pub customers: Patch<Vec<String>>,
}

/// The same, read.
#[derive(Clone, Debug, Default)]
pub struct ClientPatch {
    /// Name; it cannot be cleared.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Scopes; they cannot be cleared.
    pub scopes: Option<Scopes>,
    /// Scopes of a request that names none.
    pub default_scopes: Patch<Scopes>,
    /// Audiences; empty for the environment's.
    pub audiences: Option<Vec<Audience>>,
    /// Audiences that it is the resource server of.
    pub resource_for: Option<Vec<Audience>>,
    /// Where it may be used from.
    pub allowed_ips: Option<Networks>,
    /// How long its tokens live.
    pub token_lifetime: Option<Duration>,
    /// What its tokens are signed with.
    pub signing_algorithm: Patch<Algorithm>,
    /// Requests a minute.
    pub rate_per_minute: Patch<u32>,
    /// Requests at once.
    pub burst_per_second: Patch<u32>,
    /// When it ends.
    pub expires_at: Patch<Timestamp>,
    /// The customers that it is tied to, which take a query to read.
    pub customers: Option<Vec<CustomerId>>,
}

fn audiences(list: &[String]) -> Result<Vec<Audience>, String> {
    if list.len() > AUDIENCES_MAX {
        return Err(format!("must have at most {AUDIENCES_MAX} entries"));
    }
    let mut audiences: Vec<Audience> = Vec::with_capacity(list.len());
    for text in list {
        let audience = text.parse().map_err(|what| format!("{what}: {}", shown(text)))?;
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    if audiences.iter().map(|audience| audience.as_str().len()).sum::<usize>() > AUDIENCES_TEXT_MAX {
        return Err(format!("must have at most {AUDIENCES_TEXT_MAX} characters in all"));
    }
    Ok(audiences)
}

impl ClientInput {
    /// Reads every field.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub fn read(self, now: Timestamp) -> Result<ClientPatch, ServiceError> {
        let mut errors = Vec::new();
        let wrong = &mut errors;
        let patch = ClientPatch {
            name: self.name.read("name", wrong, |value| checked(&value, text::name)).required("name", wrong),
            description: self
                .description
                .read("description", wrong, |value| checked(&value, text::description))
                .or_cleared(String::new()),
            scopes: self.scopes.read("scopes", wrong, |list| scopes(&list)).required("scopes", wrong),
            default_scopes: self.default_scopes.read("default_scopes", wrong, |list| scopes(&list)),
            audiences: self.audiences.read("audiences", wrong, |list| audiences(&list)).or_cleared(vec![]),
            resource_for: self.resource_for.read("resource_for", wrong, |list| audiences(&list)).or_cleared(vec![]),
            allowed_ips: self
                .allowed_ips
                .read("allowed_ips", wrong, |list| networks(&list))
                .or_cleared(Networks::default()),
            token_lifetime: self
                .token_lifetime
                .read("token_lifetime", wrong, |seconds| {
                    (LIFETIME_MIN..=LIFETIME_MAX)
                        .contains(&seconds)
                        .then(|| Duration::seconds(seconds))
                        .ok_or_else(|| format!("must be {LIFETIME_MIN} to {LIFETIME_MAX} seconds"))
                })
                .or_cleared(Duration::seconds(LIFETIME_MAX)),
            signing_algorithm: self
                .signing_algorithm
                .read("signing_algorithm", wrong, |text| text.parse().map_err(str::to_owned)),
            rate_per_minute: self.rate_per_minute.read("rate_per_minute", wrong, limit),
            burst_per_second: self.burst_per_second.read("burst_per_second", wrong, limit),
            expires_at: self.expires_at.read("expires_at", wrong, |text| future(&text, now)),
            customers: None,
        };
        if errors.is_empty() { Ok(patch) } else { Err(ServiceError::Invalid(errors)) }
    }
}
