//! An audit event, and the origin of its request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Action, Reason};
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::Timestamp;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// It was granted or carried out.
    Success,
    /// It was refused: the caller made an error or lacks a permission.
    Refused,
    /// The service failed.
    Error,
}

impl Outcome {
    /// Returns every outcome, successes first.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter()
    }

    /// Returns the name in rows and responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl std::str::FromStr for Outcome {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|outcome| outcome.as_str() == text).ok_or("must be success, refused or error")
    }
}

/// Where a request came from and what it asked for, as it is recorded.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The id, which the response and the log line also carry.
    pub request_id: RequestId,
    /// HTTP method; `CLI` for a command.
    pub method: Cow<'static, str>,
    /// Path without its query; the subcommands for a command.
    pub path: String,
    /// The caller's address behind trusted proxies.
    pub address: Option<IpAddr>,
    /// `User-Agent`, cut to 256 bytes; for a command the program and the name that is claimed for its user.
    pub user_agent: String,
    /// The id that a gateway sent for the request that it asks about, cut to 128 bytes.
    pub gateway_request_id: Option<String>,
    /// When the request was received.
    pub received_at: Timestamp,
    /// The same instant on the monotonic clock, for the duration of the decision.
    pub started: std::time::Instant,
}

/// What a request claims to be, a client or a key, whether or not it exists: half a digest of the text that it sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claimed([u8; 16]);

impl Claimed {
    /// Creates the claim of a text with this SHA-256.
    pub fn of(digest: &[u8; 32]) -> Self {
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claimed")
    }
}

/// An audit event, ready to be stored.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// The event's id.
    pub id: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// Who acted: a credential's id, `cli:` and the number of the operating system's user, `system`, or `anonymous`;
    /// `several` in a summary of refusals of several actors.
    pub actor: Arc<str>,
    /// The credential that was used or tried, if it exists.
    pub credential: Option<Arc<str>>,
    /// The customer concerned, where there is one.
    pub customer: Option<Arc<str>>,
    /// The action, such as `token.issue` or `client.create`.
    pub action: Action,
    /// The object of the action.
    pub target: Option<Arc<str>>,
    /// The environment concerned.
    pub environment: Option<Environment>,
    /// Whether the action was done, refused or failed.
    pub outcome: Outcome,
    /// HTTP status of the response; for a command, the equivalent status.
    pub status: u16,
    /// The reason for the outcome.
    pub reason: Reason,
    /// The token concerned.
    pub jti: Option<Arc<str>>,
    /// Microseconds from the request's arrival to the decision.
    pub duration_micros: i64,
    /// The number of refusals that this event represents: 1, more in a summary.
    pub count: i64,
    /// Where the request came from.
    pub origin: Arc<Origin>,
}
