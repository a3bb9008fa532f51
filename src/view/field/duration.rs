//! Lengths of time with bounds.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use crate::domain::credential::GRACE_MAX;
use crate::domain::time::Duration;
use crate::view::input::Field;
use crate::view::text::{string, text};

/// How long an old secret remains valid beside its successor.
pub enum Grace {}

impl Field for Grace {
    type Value = Duration;

    fn schema() -> RefOr<Schema> {
        up_to_30_days().default(Some("0s".into())).into()
    }

    fn read(value: Value) -> Result<Duration, String> {
        read_up_to_30_days(value)
    }
}

/// How long a signing key is published before it signs.
pub enum Lead {}

impl Field for Lead {
    type Value = Duration;

    fn schema() -> RefOr<Schema> {
        up_to_30_days().into()
    }

    fn read(value: Value) -> Result<Duration, String> {
        read_up_to_30_days(value)
    }
}

/// At most 30 days in seconds, minutes, hours or days.
const UP_TO_30_DAYS: &str = concat!(
    "^0*(([0-9]{1,6}|1[0-9]{6}|2[0-4][0-9]{5}|25[0-8][0-9]{4}|259[01][0-9]{3}|2592000)s",
    "|([0-9]{1,4}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)m",
    "|([0-9]{1,2}|[1-6][0-9]{2}|7[01][0-9]|720)h",
    "|([0-9]|[12][0-9]|30)d)$"
);

fn up_to_30_days() -> ObjectBuilder {
    string(UP_TO_30_DAYS).examples(["24h"])
}

fn read_up_to_30_days(value: Value) -> Result<Duration, String> {
    let duration: Duration = text(value)?.parse().map_err(str::to_owned)?;
    if duration <= GRACE_MAX { Ok(duration) } else { Err("must be at most 30d".to_owned()) }
}
