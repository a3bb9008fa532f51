//! The fields that clients and API keys share, as they are shown.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::text::string;
use crate::domain::credential::{Inactivity, Status, TiedCredential};
use crate::domain::customer::{Customer, ExternalId};
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::metadata::Metadata;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};
use crate::domain::user::EmailAddress;

/// The schema of an address or a CIDR block that a credential may be used from.
enum AllowedNetwork {}

impl PartialSchema for AllowedNetwork {
    fn schema() -> RefOr<Schema> {
        string("^[0-9a-f:.]+(/[0-9]{1,3})?$").examples(["203.0.113.7"]).into()
    }
}

impl ToSchema for AllowedNetwork {}

/// Fields that clients and API keys share.
#[derive(Serialize, ToSchema)]
pub struct CredentialFields {
    environment: Environment,
    name: Name,
    description: Description,
    /// What is in force now: a credential of a disabled owner, or of suspended customers only, is `inactive`.
    status: Status,
    /// Why it is `inactive`; null if it is not.
    #[schema(required)]
    inactive_reason: Option<Inactivity>,
    /// What it may carry at most, before its owner's role limits it.
    scopes: Vec<Scope>,
    /// What it may carry now, limited by its owner's role. Nothing unless it is `active`.
    effective_scopes: Vec<Scope>,
    /// The user who owns it, and whose role limits it; null means the organisation.
    #[schema(required)]
    owner: Option<UserId>,
    /// The owner's e-mail address; null if it has no owner, and for callers who may not read users.
    #[schema(required)]
    owner_email: Option<EmailAddress>,
    /// The owner's name; null if it is not known or not to be shown.
    #[schema(required)]
    owner_name: Option<Name>,
    /// The customers that it is tied to, suspended ones included. Without any it serves all customers.
    customers: Vec<TiedCustomer>,
    metadata: Metadata,
    /// Addresses and CIDR blocks that it may be used from. Without any it may be used from anywhere.
    #[schema(value_type = Vec<AllowedNetwork>, max_items = 100)]
    allowed_ips: Vec<String>,
    /// Requests a minute; null means unlimited.
    #[schema(required)]
    rate_per_minute: Option<u32>,
    /// Requests at once, refilled within a second; null means unlimited.
    #[schema(required)]
    burst_per_second: Option<u32>,
    /// When it stops being accepted.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When its newest secret was created.
    rotated_at: Timestamp,
    /// Whether its newest secret is old enough to be replaced.
    rotation_due: bool,
    /// When it was last accepted, to within a second or so.
    #[schema(required)]
    last_used_at: Option<Timestamp>,
}

/// A customer that a credential is tied to.
#[derive(Serialize, ToSchema)]
struct TiedCustomer {
    id: CustomerId,
    /// What tokens, verification and gateways call it.
    external_id: ExternalId,
    name: Name,
}

impl From<&Customer> for TiedCustomer {
    fn from(customer: &Customer) -> Self {
        Self { id: customer.id.clone(), external_id: customer.external_id.clone(), name: customer.name.clone() }
    }
}

impl CredentialFields {
    pub fn new(tied: &TiedCredential, at: Moment) -> Self {
        let credential = &tied.credential;
        let (status, inactive_reason) = tied.status(at.now);
        Self {
            environment: credential.environment,
            name: credential.name.clone(),
            description: credential.description.clone(),
            status,
            inactive_reason,
            scopes: list(&credential.scopes),
            effective_scopes: list(&tied.scopes(at.now)),
            owner: credential.owner.clone(),
            owner_email: tied.owner.as_ref().map(|owner| owner.email.clone()),
            owner_name: tied.owner.as_ref().and_then(|owner| owner.name.clone()),
            customers: tied.customers.iter().map(TiedCustomer::from).collect(),
            metadata: credential.metadata.clone(),
            allowed_ips: credential.allowed_ips.to_strings(),
            rate_per_minute: credential.limits.rate_per_minute,
            burst_per_second: credential.limits.burst_per_second,
            expires_at: credential.expires_at,
            created_at: credential.created_at,
            updated_at: credential.updated_at,
            rotated_at: credential.rotated_at,
            rotation_due: credential.is_rotation_due(at.rotation_age, at.now),
            last_used_at: credential.last_use().map(|used| used.at),
        }
    }
}

/// When a credential is shown, and how old a secret becomes before it is due to be replaced.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When.
    pub now: Timestamp,
    /// How old.
    pub rotation_age: Duration,
}

/// Returns the scopes of a set.
pub fn list(scopes: &Scopes) -> Vec<Scope> {
    scopes.iter().cloned().collect()
}
