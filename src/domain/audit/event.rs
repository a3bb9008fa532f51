//! One audit event, and the origin of the request that it is of.

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
    /// It was granted or done.
    Success,
    /// It was refused: the caller is at fault, or may not.
    Refused,
    /// The service failed.
    Error,
}

impl Outcome {
    /// The name in rows and responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl std::str::FromStr for Outcome {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <Self as strum::IntoEnumIterator>::iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or("must be success, refused or error")
    }
}

/// Where a request came from and what it asked for, as far as that is recorded.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The id that the answer and the log line carry too.
    pub request_id: RequestId,
    /// HTTP method; `CLI` for a command.
    pub method: Cow<'static, str>,
    /// Path without its query; the command's words for a command.
    pub path: String,
    /// The caller's address behind trusted proxies.
    pub address: Option<IpAddr>,
    /// `User-Agent`, cut to 256 bytes.
    pub user_agent: String,
    /// What a gateway that asked has as the id of the request that it asked about, cut to 128 bytes.
    pub gateway_request_id: Option<String>,
    /// When the request came in.
    pub received_at: Timestamp,
    /// The same instant on the monotonic clock, for the time that deciding took.
    pub started: std::time::Instant,
}

/// One event, ready to be stored.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// Who acted: a credential's id, `cli:` and the operating system's user, `system`, or `anonymous`.
    pub actor: Arc<str>,
    /// The credential that was used or tried, if it exists.
    pub credential: Option<Arc<str>>,
    /// The customer concerned, where there is one.
    pub customer: Option<Arc<str>>,
    /// What was done, such as `token.issue` or `client.create`.
    pub action: Action,
    /// What it was done to.
    pub target: Option<Arc<str>>,
    /// The environment concerned.
    pub environment: Option<Environment>,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status of the answer, or what it would be for a command.
    pub status: u16,
    /// Why it ended so.
    pub reason: Reason,
    /// The token concerned.
    pub jti: Option<Arc<str>>,
    /// Microseconds from the request's arrival to the decision.
    pub duration_micros: i64,
    /// How many like refusals this event stands for; 1 but for summaries.
    pub count: i64,
    /// Where the request came from.
    pub origin: Arc<Origin>,
}
