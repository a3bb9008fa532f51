//! Reads again what made a credential a caller, past all caches: in the transaction of a change, and where changes
//! overtook a decision.

use std::sync::Arc;

use super::access::{KeyUseRequest, refusal};
use super::error::ServiceError;
use super::state::customers::{read_each, read_of_token};
use super::state::owners::Allowance;
use super::tokens::{Known, TokenInForce};
use crate::domain::audit::{Disposition, Reason};
use crate::domain::caller::{Authority, Caller, CallingCredential, Proof};
use crate::domain::change::{Basis, Position};
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::customer::{AllSuspended, Served};
use crate::domain::rate::RateLimitStatus;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::domain::token::SignedToken;
use crate::store::{AnyConnection, credentials, revoked_tokens, signing_keys};

/// Why a call is refused before it reaches its use case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unauthorized {
    /// It has no credentials.
    Missing,
    /// It has several credentials, or fields that cannot be read.
    Malformed,
    /// Its key or token is not in force, or not for this API.
    InvalidToken,
    /// Its credential lacks this permission.
    Insufficient(&'static str),
    /// Its credential exceeds its rate limit.
    RateLimited(RateLimitStatus),
    /// Too many failed authentications come from one source.
    TooManyFailures {
        /// Seconds until another attempt is accepted.
        retry_after: u32,
    },
    /// The service cannot decide now.
    Unavailable,
}

impl Unauthorized {
    /// Returns the disposition of the call.
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::Missing | Self::InvalidToken => Disposition::Unauthenticated,
            Self::Malformed => Disposition::Malformed,
            Self::Insufficient(_) => Disposition::Forbidden,
            Self::RateLimited(_) | Self::TooManyFailures { .. } => Disposition::TooMany,
            Self::Unavailable => Disposition::Unavailable,
        }
    }
}

/// Returns `caller` as it is at `now`, in a database that was at `position` or later. The command line and the service
/// itself stay what they are.
///
/// # Errors
/// It is no caller any more, or lacks the permission of its call.
pub fn read_again(
    connection: &mut AnyConnection,
    caller: &Caller,
    position: Position,
    now: Timestamp,
) -> Result<Caller, ServiceError> {
    let Caller::Credential(was) = caller else { return Ok(caller.clone()) };
    let id: CredentialId = was.id.parse().map_err(|_| refused(Reason::UnknownClient))?;
    let credential = credentials::find(connection, &id)?.ok_or_else(|| refused(Reason::UnknownClient))?;
    let allowance = Allowance::read(connection, credential.owner.as_ref())?;
    let basis = Basis::at(position).on_credential(&credential).on_role(allowance.role());
    let (scopes, customers, basis) = match &was.authority.proof {
        Proof::Value(digest) => {
            let served = Served::of(!credential.customers.is_empty(), read_each(connection, &credential.customers)?);
            let scopes = key_in_force(&credential, digest, (&allowance, served.as_ref()), &was.authority, now)?;
            (scopes, served.map(|served| served.ids()).unwrap_or_default(), basis)
        }
        Proof::Token(token) => {
            let basis = basis.on_token(&token.jti).on_signing_keys(token.environment);
            let in_force = token_in_force(connection, token, &credential, allowance, now)?;
            if !credential.allowed_ips.admit(was.authority.address) {
                return Err(refused(Reason::AddressNotAllowed));
            }
            let served = in_force.served.ids();
            (in_force.scopes, served, basis)
        }
    };
    let authority = Authority { basis, ..was.authority.clone() };
    let now_calling = Caller::Credential(CallingCredential {
        id: Arc::clone(&was.id),
        environment: credential.environment,
        scopes,
        owner: credential.owner,
        customers,
        authority,
    });
    let permission = was.authority.permission;
    if now_calling.may(permission) {
        Ok(now_calling)
    } else {
        let unauthorized = Unauthorized::Insufficient(permission);
        Err(ServiceError::CallerRefused { unauthorized, reason: Reason::PermissionDenied })
    }
}

fn refused(reason: Reason) -> ServiceError {
    ServiceError::CallerRefused { unauthorized: Unauthorized::InvalidToken, reason }
}

/// Returns the scopes of a key that is still in force with the value that it was called with.
fn key_in_force(
    key: &Credential,
    digest: &[u8; 32],
    (allowance, served): (&Allowance, Result<&Served, &AllSuspended>),
    authority: &Authority,
    now: Timestamp,
) -> Result<Scopes, ServiceError> {
    if key.live_secret_with_digest(digest, now).is_none() {
        return Err(refused(Reason::KeyReplaced));
    }
    let scopes = Scopes::default();
    let request = KeyUseRequest::of_caller(authority.address, 0, &scopes);
    match refusal(key, allowance, &request, served, now) {
        Some((_, reason)) => Err(refused(reason)),
        None => Ok(allowance.cut(&key.scopes)),
    }
}

fn token_in_force(
    connection: &mut AnyConnection,
    token: &SignedToken,
    client: &Credential,
    allowance: Allowance,
    now: Timestamp,
) -> Result<TokenInForce, ServiceError> {
    let key = signing_keys::find(connection, &token.kid)?;
    if !key.is_some_and(|key| key.is_published(now)) {
        return Err(refused(Reason::UnknownKey));
    }
    let is_revoked = revoked_tokens::contains(connection, token.jti.as_str())?;
    let tenants = read_of_token(connection, &token.claims.customers, &client.customers)?;
    let known = Known { client: Arc::new(client.clone()), allowance, tenants, is_revoked };
    TokenInForce::of(token.clone(), known, now).map_err(refused)
}
