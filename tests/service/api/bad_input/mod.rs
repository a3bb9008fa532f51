//! What cannot be used is refused with what is wrong with it, and nothing is changed.

mod requests;
mod values;

use serde_json::json;

use super::{assert_invalid, assert_problem, column, created, events_of, minimal, owner, text};
use crate::support::{Response, Server, both};

/// Everything that management can change, as numbers.
fn state(server: &Server) -> Vec<i64> {
    [
        "SELECT COUNT(*) AS n FROM credentials",
        "SELECT COUNT(*) AS n FROM credential_secrets",
        "SELECT COUNT(*) AS n FROM scopes",
        "SELECT COUNT(*) AS n FROM signing_keys",
        "SELECT COUNT(*) AS n FROM idempotency_keys",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM credentials",
    ]
    .iter()
    .flat_map(|sql| server.database.numbers(sql))
    .collect()
}
