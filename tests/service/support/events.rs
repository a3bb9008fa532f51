//! The audit log as it is stored: what `sealwright audit list` shows, without a process for each look.

use serde_json::{Value, json};

use super::{Database, rfc3339};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    id: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    time: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    actor: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    credential: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    customer: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    action: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    target: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    environment: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    outcome: String,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    status: i32,
    #[diesel(sql_type = diesel::sql_types::Text)]
    reason: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    method: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    path: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    address: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    user_agent: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    request_id: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    gateway_request_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    jti: Option<String>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    duration_micros: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// The columns that a test may ask for, by the option of `audit list` that does.
const FILTERS: [(&str, &str); 5] = [
    ("--credential", "credential"),
    ("--environment", "environment"),
    ("--action", "action"),
    ("--outcome", "outcome"),
    ("--request-id", "request_id"),
];

/// Events that fit these options of `audit list`, newest first.
pub fn events(database: &Database, options: &[&str]) -> Vec<Value> {
    let conditions: Vec<String> = options
        .chunks(2)
        .map(|pair| {
            let (_, column) = FILTERS.iter().find(|(option, _)| *option == pair[0]).expect("a filter");
            assert!(!pair[1].contains('\''), "{}", pair[1]);
            match *column {
                // What it used, and what was done to it.
                "credential" => format!("(credential = '{0}' OR target = '{0}')", pair[1]),
                column => format!("{column} = '{}'", pair[1]),
            }
        })
        .collect();
    let condition = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
    let rows: Vec<Row> = database.rows(&format!("SELECT * FROM audit_log WHERE {condition} ORDER BY id DESC"));
    rows.into_iter().map(shown).collect()
}

fn shown(row: Row) -> Value {
    json!({
        "id": row.id,
        "time": rfc3339(row.time),
        "actor": row.actor,
        "credential": row.credential,
        "customer": row.customer,
        "action": row.action,
        "target": row.target,
        "environment": row.environment,
        "outcome": row.outcome,
        "status": row.status,
        "reason": row.reason,
        "method": row.method,
        "path": row.path,
        "address": row.address,
        "user_agent": row.user_agent,
        "request_id": row.request_id,
        "gateway_request_id": row.gateway_request_id,
        "jti": row.jti,
        "duration_micros": row.duration_micros,
        "count": row.count,
    })
}
