//! Credentials for tests: the options of `client create` and `key create` as the body of a request.

use serde_json::{Map, Value, json};

/// A client with its secret.
#[derive(Clone, Debug)]
pub struct TestClient {
    /// Its `client_id`.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// An API key with its value, as only the response that made it tells.
#[derive(Clone, Debug)]
pub struct TestKey {
    /// Its id.
    pub id: String,
    /// Its value.
    pub key: String,
}

const LISTS: &[(&str, &str)] = &[
    ("--audience", "audiences"),
    ("--allow-ip", "allowed_ips"),
    ("--customer", "customers"),
    ("--resource-for", "resource_for"),
    ("--default-scope", "default_scopes"),
];
const TEXTS: &[(&str, &str)] = &[
    ("--environment", "environment"),
    ("--name", "name"),
    ("--description", "description"),
    ("--type", "type"),
    ("--owner", "owner"),
    ("--preset", "preset"),
    ("--expires-at", "expires_at"),
    ("--signing-algorithm", "signing_algorithm"),
    ("--token-typ", "token_typ"),
];
/// Options that say how often a credential may be used.
pub const LIMITS: [(&str, &str); 2] =
    [("--rate-per-minute", "rate_per_minute"), ("--burst-per-second", "burst_per_second")];

/// The options of the command line that make a credential of these scopes, separated by spaces. Unless the options name
/// limits it has none: most tests are not about its rate.
pub fn arguments<'a>(kind: &'a str, scopes: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![kind, "create", "--name", "test"];
    for scope in scopes.split(' ') {
        arguments.extend(["--scope", scope]);
    }
    arguments.extend(options);
    for (limit, _) in LIMITS {
        if !options.contains(&limit) {
            arguments.extend([limit, "unlimited"]);
        }
    }
    arguments
}

/// The same as the body of a request, at the server's time in milliseconds since the epoch.
pub fn body(scopes: &str, options: &[&str], now: i64) -> Value {
    let mut body = json!({
        "name": "test", "scopes": scopes.split(' ').collect::<Vec<_>>(),
        "rate_per_minute": null, "burst_per_second": null,
    });
    let members = body.as_object_mut().unwrap();
    for pair in options.chunks(2) {
        let [option, value] = pair else { panic!("{option:?} has no value", option = pair[0]) };
        set(members, option, value, now);
    }
    body
}

fn set(members: &mut Map<String, Value>, option: &str, value: &str, now: i64) {
    let find =
        |table: &[(&str, &'static str)]| table.iter().find(|(name, _)| *name == option).map(|(_, member)| *member);
    if let Some(member) = find(LISTS) {
        members.entry(member).or_insert(json!([])).as_array_mut().unwrap().push(json!(value));
    } else if let Some(member) = find(TEXTS) {
        members.insert(member.to_owned(), json!(value));
    } else if let Some(member) = find(&LIMITS) {
        members.insert(member.to_owned(), if value == "unlimited" { Value::Null } else { json!(number(value)) });
    } else {
        match option {
            "--token-lifetime" => members.insert("token_lifetime".to_owned(), json!(seconds(value))),
            "--expires-in" => {
                members.insert("expires_at".to_owned(), json!(super::rfc3339(now + seconds(value) * 1_000)))
            }
            _ => panic!("{option} is no option of a credential"),
        };
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// The seconds in a text such as `15m`.
fn seconds(text: &str) -> i64 {
    let (count, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => panic!("{text} is no duration"),
    };
    number(count) * unit
}
