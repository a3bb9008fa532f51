//! An API key's life by `/api/v1/keys`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    assert_invalid, assert_problem, column, events_of, management_token_of, millis, now, owner, rfc3339, text, texts,
    wait_until,
};
use crate::support::{Answer, Kind, Server, both};

/// Every member of a key's view, apart from the string of a new one.
const MEMBERS: [&str; 22] = [
    "allowed_ips",
    "burst_per_second",
    "created_at",
    "customers",
    "description",
    "environment",
    "expires_at",
    "id",
    "last_four",
    "last_used_address",
    "last_used_at",
    "name",
    "owner",
    "prefix",
    "rate_per_minute",
    "rotated_at",
    "rotation_due",
    "scopes",
    "status",
    "strings",
    "type",
    "updated_at",
];

const DAY: i64 = 86_400_000;

/// Makes a key by the API, without limits unless the body names some; the answer and the string.
#[track_caller]
pub fn created_key(server: &Server, token: &str, body: &Value) -> (Value, String) {
    let mut body = body.clone();
    for limit in ["rate_per_minute", "burst_per_second"] {
        body.as_object_mut().unwrap().entry(limit).or_insert(Value::Null);
    }
    let answer = server.api("POST", "/keys", token, Some(&body));
    assert_eq!(answer.status, 201, "{}", answer.text);
    let key = text(&answer.body["key"]);
    (answer.body, key)
}

/// The smallest body of a key.
pub fn minimal_key(name: &str) -> Value {
    json!({"name": name, "scopes": ["orders:read"]})
}

/// Asks whether a key may be used in production, with further members of the question.
#[track_caller]
pub fn verdict(server: &Server, token: &str, key: &str, more: &Value) -> Value {
    let mut body = json!({"key": key, "environment": "production"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = server.api("POST", "/keys/verify", token, Some(&body));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["valid"], json!(answer.body["code"] == "VALID"), "{}", answer.text);
    answer.body
}

/// The code of that.
#[track_caller]
pub fn code(server: &Server, token: &str, key: &str, more: &Value) -> String {
    text(&verdict(server, token, key, more)["code"])
}

/// The code of a key for nothing in particular.
#[track_caller]
fn standing(server: &Server, token: &str, key: &str) -> String {
    code(server, token, key, &json!({}))
}

/// Enters a customer; its id.
#[track_caller]
pub fn entered_customer(server: &Server, token: &str, external_id: &str) -> String {
    let body = json!({"external_id": external_id, "name": external_id});
    let answer = server.api("POST", "/customers", token, Some(&body));
    assert_eq!(answer.status, 201, "{}", answer.text);
    text(&answer.body["id"])
}

/// Makes a user; its id.
#[track_caller]
pub fn made_user(server: &Server, token: &str, email: &str, role: &str) -> String {
    let answer = server.api("POST", "/users", token, Some(&json!({"email": email, "role": role})));
    assert_eq!(answer.status, 201, "{}", answer.text);
    text(&answer.body["id"])
}

fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The CRC-32 of ISO-HDLC, bit by bit, so that it is not the program's own that judges it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Asserts the form of a production, staging or development key, and its checksum.
#[track_caller]
fn assert_formed(key: &str, tag: &str) {
    let body = key.strip_prefix(&format!("sw_{tag}_")).unwrap_or_else(|| panic!("{key} is not of {tag}"));
    assert!(body.len() == 38 && body.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
    let (random, sum) = body.split_at(32);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let value = sum.bytes().fold(0_u64, |value, digit| {
        value * 62 + u64::try_from(digits.iter().position(|known| *known == digit).unwrap()).unwrap()
    });
    assert_eq!(value, u64::from(crc32(random.as_bytes())), "{key}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In how many places of the database, or of its files, a text stands.
fn places_of(server: &Server, wanted: &str) -> i64 {
    if server.database.kind == Kind::Sqlite {
        let files = std::fs::read_dir(server.database.data_dir()).unwrap().map(|entry| entry.unwrap().path());
        let holds = |path: &std::path::PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
        };
        return i64::try_from(files.filter(holds).count()).unwrap();
    }
    let tables = "SELECT CAST(table_name AS TEXT) AS t FROM information_schema.tables WHERE table_schema = 'public'";
    let tables = crate::database::texts(&server.database, tables);
    assert!(tables.iter().any(|table| table == "api_key_strings"), "{tables:?}");
    let count = |table: &String| {
        let binary = hex(wanted.as_bytes());
        let like = format!("CAST(t AS TEXT) LIKE '%{wanted}%' OR CAST(t AS TEXT) LIKE '%{binary}%'");
        server.database.numbers(&format!("SELECT COUNT(*) AS n FROM {table} AS t WHERE {like}"))[0]
    };
    tables.iter().map(count).sum()
}

/// Asserts that the secret part of a key stands nowhere at rest.
#[track_caller]
fn assert_nowhere_at_rest(server: &Server, key: &str) {
    let (shown, random) = key.split_at(key.len() - 34);
    assert!(places_of(server, shown) > 0, "{shown} is kept for display, so that this looks in the right place");
    assert_eq!(places_of(server, random), 0, "{key}");
}

/// The ids of a list's rows.
#[track_caller]
fn listed(server: &Server, token: &str, query: &str) -> Vec<String> {
    column(&server.api("GET", &format!("/keys?{query}"), token, None), "id")
}

fn rotated(server: &Server, token: &str, path: &str, body: Option<&Value>) -> (Value, String) {
    let answer = server.api("POST", &format!("{path}/rotate"), token, body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    let key = text(&answer.body["key"]);
    (answer.body, key)
}

fn repeatable(server: &Server, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    server.send(request.header("idempotency-key", key).json(body))
}

both! {
    fn a_created_key_is_shown_whole_and_its_string_this_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let acme = entered_customer(&server, &token, "acme");
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let expires_at = rfc3339(now() + DAY);
        let given = json!({
            "environment": "production",
            "name": "Nächtlicher Export – nightly",
            "description": "Exports orders.",
            "type": "client",
            "scopes": ["orders:read", "invoices:read", "orders:read"],
            "allowed_ips": ["127.0.0.1", "10.1.2.3/8", "2001:db8::/32"],
            "rate_per_minute": 1_000,
            "burst_per_second": null,
            "expires_at": expires_at,
            "customers": ["acme"],
            "owner": "ANN@example.com",
        });
        let before = now();
        let answer = server.api("POST", "/keys", &token, Some(&given));
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "application/json");
        let mut made = answer.body;
        let key = text(&made["key"]);
        assert_formed(&key, "live");
        made.as_object_mut().unwrap().remove("key");
        assert_eq!(members(&made), MEMBERS);
        for (member, value) in [
            ("environment", json!("production")),
            ("name", json!("Nächtlicher Export – nightly")),
            ("description", json!("Exports orders.")),
            ("type", json!("client")),
            ("status", json!("active")),
            ("scopes", json!(["invoices:read", "orders:read"])),
            ("owner", json!(ann)),
            ("customers", json!([acme])),
            ("allowed_ips", json!(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])),
            ("rate_per_minute", json!(1_000)),
            ("burst_per_second", Value::Null),
            ("expires_at", json!(expires_at)),
            ("rotation_due", json!(false)),
            ("last_used_at", Value::Null),
            ("last_used_address", Value::Null),
            ("prefix", json!(key[.."sw_live_".len() + 4])),
            ("last_four", json!(key[key.len() - 4..])),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        assert!(text(&made["id"]).starts_with("key_"));
        assert!((before - 1..=now()).contains(&millis(&made["created_at"])));
        assert_eq!((&made["updated_at"], &made["rotated_at"]), (&made["created_at"], &made["created_at"]));
        let strings = made["strings"].as_array().unwrap();
        assert_eq!((strings.len(), members(&strings[0])), (1, vec!["created_at", "ends_at", "last_four", "live", "prefix"]));
        assert_eq!((&strings[0]["live"], &strings[0]["ends_at"]), (&json!(true), &Value::Null));

        let shown = server.api("GET", &format!("/keys/{}", text(&made["id"])), &token, None);
        assert_eq!((shown.status, &shown.body), (200, &made), "shown later without its string");
        let list = server.api("GET", "/keys", &token, None);
        assert_eq!(list.body["data"], json!([made]));
        for answer in [&shown, &list] {
            assert!(!answer.text.contains(&key) && answer.header("cache-control") == "no-store", "{}", answer.text);
        }
        let verified = verdict(&server, &token, &key, &json!({"ip": "10.9.9.9", "customer": "acme"}));
        assert_eq!(verified["valid"], true, "{verified}");
        for member in ["id", "name", "type", "owner", "customers", "scopes", "expires_at"] {
            assert_eq!(verified[member], made[member], "{member}");
        }
        assert_eq!(members(&verified["rate_limit"]), ["limit", "remaining", "reset_after", "retry_after"]);
    }

    fn a_key_names_its_environment_and_carries_its_checksum(database) {
        let server = Server::start(database);
        let production = owner(&server);
        let mut tokens = vec![("live", "production", production.clone())];
        for (tag, environment) in [("stg", "staging"), ("dev", "development")] {
            let client = server.client_with("sealwright.admin admin", &["--environment", environment]);
            tokens.push((tag, environment, management_token_of(&server, environment, &client)));
        }
        let mut all = vec![];
        for (tag, environment, token) in &tokens {
            for _ in 0..5 {
                let (made, key) = created_key(&server, token, &minimal_key("tagged"));
                assert_formed(&key, tag);
                assert_eq!(made["environment"], *environment);
                assert_eq!(code(&server, token, &key, &json!({"environment": environment})), "VALID");
                all.push(key);
            }
        }
        // One wrong character is no key, whichever it is.
        let (key, count) = (all[0].clone(), all.len());
        for at in ["sw_live_".len(), key.len() - 7, key.len() - 1] {
            let other = if key.as_bytes()[at] == b'x' { "y" } else { "x" };
            let wrong = format!("{}{other}{}", &key[..at], &key[at + 1..]);
            assert_eq!(verdict(&server, &production, &wrong, &json!({})), json!({"valid": false, "code": "NOT_FOUND"}));
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    fn what_is_not_named_has_the_default_of_the_type(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        for (body, kind, scopes, per_minute, per_second) in [
            (json!({"scopes": ["orders:read"]}), "partner", vec!["orders:read"], json!(100), json!(10)),
            (json!({"type": "partner", "scopes": ["a:b"]}), "partner", vec!["a:b"], json!(100), json!(10)),
            (json!({"type": "client", "customers": ["acme"]}), "client", vec!["read"], json!(100), json!(10)),
            (json!({"type": "internal", "scopes": ["admin"]}), "internal", vec!["admin"], Value::Null, Value::Null),
        ] {
            let mut body = body;
            body["name"] = json!("plain");
            let answer = server.api("POST", "/keys", &token, Some(&body));
            assert_eq!(answer.status, 201, "{body}: {}", answer.text);
            let made = answer.body;
            assert_eq!((text(&made["type"]).as_str(), texts(&made["scopes"])), (kind, scopes.iter().map(ToString::to_string).collect()));
            assert_eq!((&made["rate_per_minute"], &made["burst_per_second"]), (&per_minute, &per_second), "{kind}");
            for (member, value) in [
                ("environment", json!("production")),
                ("description", json!("")),
                ("allowed_ips", json!([])),
                ("expires_at", Value::Null),
                ("owner", Value::Null),
            ] {
                assert_eq!(made[member], value, "{kind} {member}");
            }
        }
        for kind in ["partner", "internal"] {
            let answer = server.api("POST", "/keys", &token, Some(&json!({"name": "x", "type": kind})));
            assert_invalid(&answer, &["scopes"]);
        }
        // The default is cut to what the caller has.
        let narrow = server.management_token(&server.client("sealwright.keys:write orders:read"));
        let body = json!({"name": "cut", "type": "client", "customers": ["acme"]});
        assert_eq!(created_key(&server, &narrow, &body).0["scopes"], json!(["orders:read"]));
    }

    fn a_preset_names_scopes_by_one_word(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (preset, scopes) in [
            ("read-only", vec!["read"]),
            ("write", vec!["read", "write"]),
            ("full", vec!["delete", "read", "write"]),
        ] {
            let (made, _) = created_key(&server, &token, &json!({"name": "p", "preset": preset}));
            assert_eq!(texts(&made["scopes"]), scopes, "{preset}");
            let (plain, _) = created_key(&server, &token, &minimal_key("p"));
            let path = format!("/keys/{}", text(&plain["id"]));
            let changed = server.api("PATCH", &path, &token, Some(&json!({"preset": preset})));
            assert_eq!(texts(&changed.body["scopes"]), scopes, "{preset}");
        }
        let body = json!({"name": "p", "preset": "scoped", "scopes": ["orders:read", "x:y"]});
        assert_eq!(texts(&created_key(&server, &token, &body).0["scopes"]), ["orders:read", "x:y"]);
        assert_invalid(&server.api("POST", "/keys", &token, Some(&json!({"name": "p", "preset": "scoped"}))), &["scopes"]);
        let both = json!({"name": "p", "preset": "full", "scopes": ["read"]});
        assert_invalid(&server.api("POST", "/keys", &token, Some(&both)), &["preset"]);
    }

    fn only_internal_keys_carry_admin_and_reserved_permissions(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        for (scope, reserved) in [
            ("admin", true),
            ("sealwright.admin", true),
            ("sealwright.keys:read", true),
            ("sealwright.keys:*", true),
            ("sealwright.users:write", true),
            ("sealwright.credentials:own", true),
            ("sealwright.audit:read", true),
            ("sealwright.tokens:introspect", true),
            ("sealwright.keys:verify", false),
            ("sealwright.webhooks:write", false),
            ("sealwright.webhooks:*", false),
            ("sealwright.jobs:read", false),
            ("sealwright.access-log:append", false),
            ("orders:admin", false),
        ] {
            for kind in ["client", "partner", "internal"] {
                let body = json!({"name": "k", "type": kind, "customers": ["acme"], "scopes": ["orders:read", scope]});
                let answer = server.api("POST", "/keys", &token, Some(&body));
                if reserved && kind != "internal" {
                    assert_invalid(&answer, &["scopes"]);
                } else {
                    assert_eq!(answer.status, 201, "{kind} {scope}: {}", answer.text);
                }
            }
        }
        let (plain, _) = created_key(&server, &token, &minimal_key("plain"));
        let path = format!("/keys/{}", text(&plain["id"]));
        assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({"scopes": ["admin"]}))), &["scopes"]);
        assert_invalid(&server.api("POST", "/keys", &token, Some(&json!({"name": "k", "type": "client"}))), &["customers"]);
    }

    fn a_key_is_stored_as_its_sha_256_only(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let first = repeatable(&server, &token, "/keys", "once", &minimal_key("stored"));
        let (key, path) = (text(&first.body["key"]), format!("/keys/{}", text(&first.body["id"])));
        let next = repeatable(&server, &token, &format!("{path}/rotate"), "rotate", &json!({"grace": "1h"}));
        let next = text(&next.body["key"]);
        for key in [&key, &next] {
            assert_eq!(standing(&server, &token, key), "VALID");
            let digest = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes()).as_ref());
            let digest = match server.database.kind {
                Kind::Sqlite => format!("x'{digest}'"),
                Kind::Postgres => format!("decode('{digest}', 'hex')"),
            };
            let sql = format!("SELECT COUNT(*) AS n FROM api_key_strings WHERE digest = {digest}");
            assert_eq!(server.database.numbers(&sql), [1]);
            // Not even where a key is put where it does not belong.
            let path = format!("/orders?api_key={key}");
            for misplaced in [json!({"path": path}), json!({"user_agent": key}), json!({"request_id": key}), json!({"method": key})] {
                verdict(&server, &token, key, &misplaced);
            }
            assert_problem(&server.api("GET", &format!("/keys/{key}"), &token, None), 404, "not_found");
            assert_problem(&server.api("POST", &format!("/keys/{key}/revoke"), &token, None), 404, "not_found");
            assert_eq!(server.api("GET", &format!("/keys?name={key}"), &token, None).status, 200);
            assert_nowhere_at_rest(&server, key);
            assert!(!server.log().contains(&key[key.len() - 34..]), "{}", server.log());
        }
    }

    fn lists_go_from_the_newest_to_the_oldest_page_by_page(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let mut ids: Vec<String> = Vec::new();
        for name in ["one", "two", "same", "same", "five"] {
            ids.insert(0, text(&created_key(&server, &token, &minimal_key(name)).0["id"]));
        }
        server.key_with("orders:read", &["--environment", "staging"]);
        let all = server.api("GET", "/keys", &token, None);
        assert_eq!(column(&all, "id"), ids, "newest first, and nothing of staging");
        assert_eq!(all.body["next_cursor"], Value::Null);
        for limit in [1, 2, 4, 5, 1000] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = server.api("GET", &format!("/keys?limit={limit}{cursor}"), &token, None);
                let rows = column(&page, "id");
                assert!(rows.len() <= limit && !rows.is_empty(), "{limit}: {}", page.text);
                seen.extend(rows);
                match &page.body["next_cursor"] {
                    Value::Null => break,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
            assert_eq!(seen, ids, "in pages of {limit}");
        }
        // A page does not move when something newer is made meanwhile, and a filter goes on with it.
        let first = server.api("GET", "/keys?limit=2", &token, None);
        let newer = text(&created_key(&server, &token, &minimal_key("same")).0["id"]);
        let cursor = text(&first.body["next_cursor"]);
        assert_eq!(listed(&server, &token, &format!("limit=2&cursor={cursor}")), ids[2..4]);
        let same = server.api("GET", "/keys?name=same&limit=2", &token, None);
        assert_eq!(column(&same, "id"), [newer, ids[1].clone()]);
        let cursor = text(&same.body["next_cursor"]);
        let rest = server.api("GET", &format!("/keys?name=same&limit=2&cursor={cursor}"), &token, None);
        assert_eq!((column(&rest, "id"), &rest.body["next_cursor"]), (vec![ids[2].clone()], &Value::Null));
    }

    fn a_list_is_narrowed_by_every_filter_alone_and_together(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (acme, ann) = (entered_customer(&server, &token, "acme"), made_user(&server, &token, "ann@example.com", "developer"));
        let zeta = entered_customer(&server, &token, "zeta");
        let bob = made_user(&server, &token, "bob@example.com", "developer");
        let soon = now() + 700;
        let id = |mut body: Value, name: &str| {
            body["name"] = json!(name);
            body.as_object_mut().unwrap().entry("scopes").or_insert(json!(["orders:read"]));
            text(&created_key(&server, &token, &body).0["id"])
        };
        let of_acme = id(json!({"customers": ["acme"], "type": "client"}), "acme");
        let of_both = id(json!({"customers": ["acme", &zeta], "owner": ann}), "both");
        let of_ann = id(json!({"owner": ann, "type": "internal"}), "ann");
        let ended = id(json!({"expires_at": rfc3339(soon)}), "ended");
        let stopped = id(json!({"owner": "bob@example.com"}), "stopped");
        let gone = id(json!({}), "gone");
        let plain = id(json!({}), "plain");
        server.api("POST", &format!("/keys/{stopped}/disable"), &token, None);
        server.api("POST", &format!("/keys/{gone}/revoke"), &token, None);
        let old = format!("UPDATE api_keys SET rotated_at = rotated_at - {} WHERE id = '{plain}'", 91 * DAY);
        server.database.execute(&old);
        wait_until(soon);
        for (query, expected) in [
            (String::new(), vec![&plain, &gone, &stopped, &ended, &of_ann, &of_both, &of_acme]),
            ("environment=production&limit=2".to_owned(), vec![&plain, &gone]),
            ("environment=staging".to_owned(), vec![]),
            ("name=plain".to_owned(), vec![&plain]),
            ("name=Plain".to_owned(), vec![]),
            ("name=pla%25".to_owned(), vec![]),
            ("type=client".to_owned(), vec![&of_acme]),
            ("type=internal".to_owned(), vec![&of_ann]),
            ("type=partner".to_owned(), vec![&plain, &gone, &stopped, &ended, &of_both]),
            ("status=active".to_owned(), vec![&plain, &of_ann, &of_both, &of_acme]),
            ("status=inactive".to_owned(), vec![&stopped]),
            ("status=expired".to_owned(), vec![&ended]),
            ("status=revoked".to_owned(), vec![&gone]),
            (format!("owner={ann}"), vec![&of_ann, &of_both]),
            (format!("owner={bob}"), vec![&stopped]),
            ("customer=acme".to_owned(), vec![&of_both, &of_acme]),
            (format!("customer={acme}"), vec![&of_both, &of_acme]),
            ("customer=zeta".to_owned(), vec![&of_both]),
            ("customer=nobody".to_owned(), vec![]),
            ("rotation_due=true".to_owned(), vec![&plain]),
            (format!("customer=acme&owner={ann}&type=partner&status=active"), vec![&of_both]),
            (format!("customer=zeta&owner={bob}"), vec![]),
            ("status=active&type=partner&rotation_due=true&name=plain&environment=production".to_owned(), vec![&plain]),
        ] {
            assert_eq!(listed(&server, &token, &query).iter().collect::<Vec<_>>(), expected, "{query}");
        }
        for key in [&of_acme, &of_both, &plain] {
            let shown = server.api("GET", &format!("/keys/{key}"), &token, None).body;
            assert_eq!(shown["rotation_due"], json!(*key == plain), "{shown}");
        }
    }

    fn every_setting_is_changed_by_itself_and_null_sets_it_back(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (acme, zeta) = (entered_customer(&server, &token, "acme"), entered_customer(&server, &token, "zeta"));
        let later = rfc3339(now() + 3_600_000);
        let (mut expected, key) = created_key(&server, &token, &minimal_key("plain"));
        expected.as_object_mut().unwrap().remove("key");
        let path = format!("/keys/{}", text(&expected["id"]));
        for (field, set, shown, cleared) in [
            ("description", json!("What it is for."), json!("What it is for."), json!("")),
            ("allowed_ips", json!(["::ffff:10.0.0.1", "10.0.0.0/8"]), json!(["10.0.0.1", "10.0.0.0/8"]), json!([])),
            ("rate_per_minute", json!(1_000_000), json!(1_000_000), Value::Null),
            ("burst_per_second", json!(1), json!(1), Value::Null),
            ("expires_at", json!(later), json!(later), Value::Null),
            ("customers", json!(["zeta", &acme, "acme"]), json!([acme, zeta]), json!([])),
        ] {
            for (given, then) in [(set, shown), (Value::Null, cleared)] {
                let answer = server.api("PATCH", &path, &token, Some(&json!({field: given})));
                assert_eq!(answer.status, 200, "{field}: {}", answer.text);
                expected[field] = then;
                assert!(millis(&answer.body["updated_at"]) >= millis(&expected["updated_at"]));
                expected["updated_at"] = answer.body["updated_at"].clone();
                assert_eq!(answer.body, expected, "{field} and nothing else");
                assert_eq!(server.api("GET", &path, &token, None).body, expected, "{field} is stored");
            }
        }
        for (field, given) in [("name", json!("other")), ("scopes", json!(["invoices:read"]))] {
            let answer = server.api("PATCH", &path, &token, Some(&json!({field: given})));
            assert_eq!((answer.status, &answer.body[field]), (200, &given), "{}", answer.text);
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: null}))), &[field]);
        }
        assert_eq!(server.api("PATCH", &path, &token, Some(&json!({}))).status, 200);
        assert_eq!(standing(&server, &token, &key), "VALID", "the string is the same");
        for field in ["environment", "type", "owner", "id", "key", "status", "prefix", "strings", "rotated_at"] {
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: "x"}))), &[field]);
        }
        let (tied, _) = created_key(&server, &token, &json!({"name": "t", "type": "client", "customers": ["acme"]}));
        let path = format!("/keys/{}", text(&tied["id"]));
        for none in [json!([]), Value::Null] {
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({"customers": none}))), &["customers"]);
        }
    }

    fn a_changed_setting_is_in_force_when_its_answer_is_given(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        let (made, key) = created_key(&server, &token, &minimal_key("plain"));
        let path = format!("/keys/{}", text(&made["id"]));
        let asked = json!({"scopes": ["orders:read"], "customer": "zeta", "ip": "192.0.2.1"});
        for (change, expected) in [
            (json!({}), "VALID"),
            (json!({"scopes": ["invoices:read"]}), "INSUFFICIENT_SCOPE"),
            (json!({"scopes": ["read"]}), "VALID"),
            (json!({"allowed_ips": ["192.0.2.2"]}), "IP_NOT_ALLOWED"),
            (json!({"allowed_ips": null}), "VALID"),
            (json!({"customers": ["acme"]}), "WRONG_CUSTOMER"),
            (json!({"customers": []}), "VALID"),
            (json!({"rate_per_minute": 1}), "VALID"),
            (json!({"name": "limited"}), "RATE_LIMITED"),
            (json!({"rate_per_minute": null}), "VALID"),
        ] {
            let answer = server.api("PATCH", &path, &token, Some(&change));
            assert_eq!(answer.status, 200, "{change}: {}", answer.text);
            assert_eq!(code(&server, &token, &key, &asked), expected, "after {change}");
        }
    }

    fn a_replaced_string_ends_at_once_or_exactly_after_its_grace(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, first) = created_key(&server, &token, &minimal_key("rotated"));
        let path = format!("/keys/{}", text(&made["id"]));
        let codes = |keys: [&String; 2]| keys.map(|key| standing(&server, &token, key));
        assert_eq!(standing(&server, &token, &first), "VALID");
        let (answer, second) = rotated(&server, &token, &path, None);
        assert_formed(&second, "live");
        assert_eq!(codes([&first, &second]), ["NOT_FOUND", "VALID"], "the old one stops at once");
        for same in ["id", "name", "scopes", "rate_per_minute", "environment", "type", "created_at", "owner", "expires_at"] {
            assert_eq!(answer[same], made[same], "{same}");
        }
        assert!(millis(&answer["rotated_at"]) >= millis(&made["rotated_at"]));
        let (_, third) = rotated(&server, &token, &path, Some(&json!({"grace": "0s"})));
        assert_eq!(codes([&second, &third]), ["NOT_FOUND", "VALID"]);

        let asked = now();
        let (answer, fourth) = rotated(&server, &token, &path, Some(&json!({"grace": "2s"})));
        let end = millis(&answer["strings"][1]["ends_at"]);
        assert!((asked + 2_000 - 1..=now() + 2_000).contains(&end), "{answer}");
        assert_eq!(codes([&third, &fourth]), ["VALID", "VALID"]);
        wait_until(end - 150);
        let still = standing(&server, &token, &third);
        if now() < end {
            assert_eq!(still, "VALID", "until the very end");
        }
        wait_until(end);
        assert_eq!(codes([&third, &fourth]), ["NOT_FOUND", "VALID"]);
        let shown = server.api("GET", &path, &token, None);
        let strings = shown.body["strings"].as_array().unwrap();
        let live: Vec<&Value> = strings.iter().map(|string| &string["live"]).collect();
        assert_eq!(live, [&json!(true), &json!(false), &json!(false), &json!(false)], "newest first");
        assert_eq!(shown.body["last_four"], fourth[fourth.len() - 4..]);
        assert_eq!(shown.body["prefix"], strings[0]["prefix"]);
        for key in [&first, &second, &third, &fourth] {
            assert!(!shown.text.contains(key.as_str()));
        }
    }

    fn never_more_than_two_strings_are_live(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, first) = created_key(&server, &token, &minimal_key("rotated"));
        let path = format!("/keys/{}", text(&made["id"]));
        let rotate = |grace: &str| rotated(&server, &token, &path, Some(&json!({"grace": grace})));
        let valid = |keys: &[&String]| -> Vec<bool> {
            keys.iter().map(|key| standing(&server, &token, key) == "VALID").collect()
        };
        let (_, second) = rotate("30d");
        assert_eq!(valid(&[&first, &second]), [true, true]);
        let (_, third) = rotate("1h");
        assert_eq!(valid(&[&first, &second, &third]), [false, true, true], "the oldest ends at once");
        let (answer, fourth) = rotate("30d");
        assert_eq!(valid(&[&second, &third, &fourth]), [false, true, true]);
        assert!(millis(&answer["strings"][1]["ends_at"]) > now() + 29 * DAY);
        let (_, fifth) = rotate("0s");
        assert_eq!(valid(&[&third, &fourth, &fifth]), [false, false, true]);
        for grace in [json!("31d"), json!("2592001s"), json!("-1s"), json!("1"), json!(""), json!(5), json!(["1h"])] {
            let refused = server.api("POST", &format!("{path}/rotate"), &token, Some(&json!({"grace": grace})));
            assert_invalid(&refused, &["grace"]);
        }
        assert_eq!(valid(&[&fifth]), [true], "a refused rotation ends nothing");
        // Some at the same time leave two live at most, and the newest among them.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| rotate("1h"));
            }
        });
        let shown = server.api("GET", &path, &token, None);
        let live = shown.body["strings"].as_array().unwrap().iter().filter(|string| string["live"] == json!(true));
        assert_eq!(live.count(), 2, "{}", shown.text);
        assert_eq!(shown.body["strings"][0]["live"], json!(true));
    }

    fn disabling_enabling_and_revoking_are_in_force_when_they_are_answered(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, key) = created_key(&server, &token, &minimal_key("plain"));
        let path = format!("/keys/{}", text(&made["id"]));
        for (action, status, then) in [
            ("disable", "inactive", "DISABLED"),
            ("disable", "inactive", "DISABLED"),
            ("enable", "active", "VALID"),
            ("enable", "active", "VALID"),
            ("disable", "inactive", "DISABLED"),
            ("revoke", "revoked", "REVOKED"),
            ("revoke", "revoked", "REVOKED"),
        ] {
            let answer = server.api("POST", &format!("{path}/{action}"), &token, None);
            assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some(status)), "{}", answer.text);
            assert_eq!(standing(&server, &token, &key), then, "after {action}");
        }
        for (method, at, body) in [
            ("POST", format!("{path}/enable"), json!({})),
            ("POST", format!("{path}/disable"), json!({})),
            ("POST", format!("{path}/rotate"), json!({})),
            ("POST", format!("{path}/rotate"), json!({"grace": "1h"})),
            ("PATCH", path.clone(), json!({"name": "other"})),
            ("PATCH", path.clone(), json!({"expires_at": null})),
            ("PATCH", path.clone(), json!({})),
        ] {
            assert_problem(&server.api(method, &at, &token, Some(&body)), 409, "revoked");
        }
        let shown = server.api("GET", &path, &token, None);
        assert_eq!((shown.body["status"].as_str(), shown.body["name"].as_str()), (Some("revoked"), Some("plain")));
        assert_eq!(shown.body["strings"].as_array().unwrap().len(), 1, "the record stays");
        assert_eq!(standing(&server, &token, &key), "REVOKED");
        // Its last string in its grace is revoked with it.
        let (made, old) = created_key(&server, &token, &minimal_key("two"));
        let path = format!("/keys/{}", text(&made["id"]));
        let (_, new) = rotated(&server, &token, &path, Some(&json!({"grace": "1h"})));
        server.api("POST", &format!("{path}/revoke"), &token, None);
        assert_eq!([&old, &new].map(|key| standing(&server, &token, key)), ["REVOKED", "REVOKED"]);
    }

    fn a_key_expires_to_the_second(database) {
        let server = Server::start(database);
        let token = owner(&server);
        // A whole second, at least one from now.
        let end = (now() / 1_000 + 2) * 1_000;
        let body = json!({"name": "ending", "scopes": ["orders:read"], "expires_at": rfc3339(end)});
        let (made, key) = created_key(&server, &token, &body);
        let path = format!("/keys/{}", text(&made["id"]));
        let first = verdict(&server, &token, &key, &json!({}));
        assert_eq!((&first["code"], &first["expires_at"]), (&json!("VALID"), &made["expires_at"]));
        wait_until(end - 150);
        let still = standing(&server, &token, &key);
        if now() < end {
            assert_eq!(still, "VALID", "until the very end");
        }
        wait_until(end);
        assert_eq!(standing(&server, &token, &key), "EXPIRED");
        assert_eq!(server.api("GET", &path, &token, None).body["status"], "expired");
        server.api("POST", &format!("{path}/disable"), &token, None);
        assert_eq!(standing(&server, &token, &key), "EXPIRED", "the first that applies");
        assert_eq!(server.api("POST", &format!("{path}/enable"), &token, None).body["status"], "expired");
        let renewed = server.api("PATCH", &path, &token, Some(&json!({"expires_at": null})));
        assert_eq!(renewed.body["status"], "active", "{}", renewed.text);
        assert_eq!(standing(&server, &token, &key), "VALID");
        server.api("POST", &format!("{path}/revoke"), &token, None);
        assert_eq!(standing(&server, &token, &key), "REVOKED");
    }

    fn an_allowlist_takes_addresses_and_blocks_of_both_families(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let allowed = json!(["203.0.113.7", "10.1.2.3/16", "2001:db8::/32", "2001:db9::1", "::ffff:198.51.100.0/120"]);
        let body = json!({"name": "fenced", "scopes": ["orders:read"], "allowed_ips": allowed});
        let (made, key) = created_key(&server, &token, &body);
        let shown = json!(["203.0.113.7", "10.1.0.0/16", "2001:db8::/32", "2001:db9::1", "198.51.100.0/24"]);
        assert_eq!(made["allowed_ips"], shown);
        for (ip, expected) in [
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("::ffff:203.0.113.7", true),
            ("::ffff:203.0.113.8", false),
            ("::ffff:cb00:7107", true),
            ("10.1.255.255", true),
            ("::ffff:10.1.0.1", true),
            ("10.2.0.1", false),
            ("2001:db8:ffff::1", true),
            ("2001:DB8::A", true),
            ("2001:db9::1", true),
            ("2001:db9::2", false),
            ("198.51.100.200", true),
            ("::ffff:198.51.100.200", true),
            ("198.51.101.1", false),
            ("::1", false),
            ("127.0.0.1", false),
        ] {
            let expected = if expected { "VALID" } else { "IP_NOT_ALLOWED" };
            assert_eq!(code(&server, &token, &key, &json!({"ip": ip})), expected, "{ip}");
        }
        assert_eq!(standing(&server, &token, &key), "IP_NOT_ALLOWED", "nobody said from where");
        let (_, anywhere) = created_key(&server, &token, &minimal_key("open"));
        assert_eq!(standing(&server, &token, &anywhere), "VALID");
        // Where a key calls itself, it is its own address that counts.
        for (allowed, status) in [("192.0.2.1", 401), ("127.0.0.0/8", 200)] {
            let body = json!({"name": "i", "type": "internal", "scopes": ["sealwright.keys:read"], "allowed_ips": [allowed]});
            let (_, key) = created_key(&server, &token, &body);
            let request = server.http.get(format!("{}/api/v1/keys", server.url)).header("x-api-key", key);
            assert_eq!(server.send(request).status, status, "{allowed}");
        }
    }

    fn a_transferred_key_stands_under_its_new_owner(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let eve = made_user(&server, &token, "eve@example.com", "auditor");
        let (made, key) = created_key(&server, &token, &minimal_key("handed"));
        let path = format!("/keys/{}", text(&made["id"]));
        let asked = json!({"scopes": ["orders:read"]});
        for (to, owner, expected) in [
            (json!(ann), json!(ann), "VALID"),
            (json!("Eve@Example.com"), json!(eve), "INSUFFICIENT_SCOPE"),
            (json!("ann@example.com"), json!(ann), "VALID"),
            (Value::Null, Value::Null, "VALID"),
        ] {
            let answer = server.api("POST", &format!("{path}/transfer"), &token, Some(&json!({"owner": to})));
            assert_eq!((answer.status, &answer.body["owner"]), (200, &owner), "{}", answer.text);
            assert_eq!(code(&server, &token, &key, &asked), expected, "{to}");
            let plain = verdict(&server, &token, &key, &json!({}));
            assert_eq!((&plain["valid"], &plain["owner"]), (&json!(true), &owner), "{to}");
            let scopes = if expected == "VALID" { json!(["orders:read"]) } else { json!([]) };
            assert_eq!(plain["scopes"], scopes, "{to}");
        }
        for body in [json!({}), json!({"owner": "nobody@example.com"}), json!({"owner": ""}), json!({"owner": 5})] {
            assert_invalid(&server.api("POST", &format!("{path}/transfer"), &token, Some(&body)), &["owner"]);
        }
        let wrong = json!({"owner": ann, "to": "x"});
        assert_invalid(&server.api("POST", &format!("{path}/transfer"), &token, Some(&wrong)), &["to"]);
        assert_eq!(server.api("GET", &path, &token, None).body["owner"], Value::Null);
    }

    fn a_key_tells_when_and_from_where_it_was_last_used(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, key) = created_key(&server, &token, &minimal_key("used"));
        let path = format!("/keys/{}", text(&made["id"]));
        let shown = || server.api("GET", &path, &token, None).body;
        // What was refused was not used.
        assert_eq!(code(&server, &token, &key, &json!({"scopes": ["x:y"], "ip": "192.0.2.9"})), "INSUFFICIENT_SCOPE");
        for ip in ["192.0.2.1", "::ffff:192.0.2.2", "2001:db8::7"] {
            let asked = now();
            assert_eq!(code(&server, &token, &key, &json!({"ip": ip})), "VALID");
            let expected = if ip.starts_with("::") { "192.0.2.2" } else { ip };
            let deadline = Instant::now() + Duration::from_millis(2_500);
            while shown()["last_used_address"] != expected {
                assert!(Instant::now() < deadline, "{ip}: {}", shown());
                std::thread::sleep(Duration::from_millis(50));
            }
            let at = millis(&shown()["last_used_at"]);
            assert!((asked - 1..=now()).contains(&at), "{ip}: {at}");
            let list = server.api("GET", "/keys?name=used", &token, None).body;
            assert_eq!(list["data"][0]["last_used_at"], shown()["last_used_at"]);
        }
    }

    fn what_is_due_to_be_rotated_is_marked_and_told_of_once(database) {
        let server = Server::start_with(database, &[("ROTATION_AGE", "2s")]);
        let token = owner(&server);
        let id = |name: &str| text(&created_key(&server, &token, &minimal_key(name)).0["id"]);
        let (old, other, gone) = (id("old"), id("other"), id("gone"));
        server.api("POST", &format!("/keys/{gone}/revoke"), &token, None);
        let is_due = |id: &str| server.api("GET", &format!("/keys/{id}"), &token, None).body["rotation_due"].clone();
        let made = millis(&server.api("GET", &format!("/keys/{other}"), &token, None).body["rotated_at"]);
        if now() < made + 2_000 {
            let due = is_due(&other);
            assert!(due == json!(false) || now() >= made + 2_000, "{due}");
        }
        wait_until(made + 2_000);
        assert_eq!([&old, &other, &gone].map(|id| is_due(id)), [json!(true), json!(true), json!(false)]);
        assert_eq!(listed(&server, &token, "rotation_due=true"), [other.clone(), old.clone()]);
        let told = |id: &str| {
            let events = server.events(&["--action", "credential.rotation_due"]);
            events.into_iter().filter(|event| event["target"] == id).collect::<Vec<_>>()
        };
        let wait_for = |id: &str, count: usize| {
            let deadline = Instant::now() + Duration::from_secs(15);
            while told(id).len() < count {
                assert!(Instant::now() < deadline, "told of {}", told(id).len());
                std::thread::sleep(Duration::from_millis(200));
            }
        };
        wait_for(&other, 1);
        let event = &told(&other)[0];
        assert_eq!((event["environment"].as_str(), event["actor"].as_str()), (Some("production"), Some("system")));
        rotated(&server, &token, &format!("/keys/{other}"), None);
        assert_eq!([&old, &other].map(|id| is_due(id)), [json!(true), json!(false)]);
        // The job that tells of the rotated one again has seen the other one again, too.
        wait_for(&other, 2);
        assert_eq!([&old, &other, &gone].map(|id| told(id).len()), [1, 2, 0]);
    }

    fn a_repeated_creation_or_rotation_gets_the_same_key_and_is_done_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let first = repeatable(&server, &token, "/keys", "create", &minimal_key("once"));
        assert_eq!(first.status, 201, "{}", first.text);
        let again = repeatable(&server, &token, "/keys", "create", &minimal_key("once"));
        assert_eq!((again.status, &again.body), (201, &first.body), "key and all");
        assert_eq!(again.header("cache-control"), "no-store");
        assert_eq!(listed(&server, &token, "name=once").len(), 1);
        let rotate = format!("/keys/{}/rotate", text(&first.body["id"]));
        let rotation = repeatable(&server, &token, &rotate, "rotate", &json!({"grace": "1h"}));
        assert_eq!(rotation.status, 200, "{}", rotation.text);
        let again = repeatable(&server, &token, &rotate, "rotate", &json!({"grace": "1h"}));
        assert_eq!((again.status, &again.body), (200, &rotation.body));
        for key in [&first.body["key"], &rotation.body["key"]] {
            assert_eq!(standing(&server, &token, &text(key)), "VALID", "rotated once");
        }
        for (path, key, body) in [
            ("/keys", "create", minimal_key("other")),
            ("/keys", "rotate", minimal_key("once")),
            (&rotate, "rotate", json!({})),
            (&rotate, "create", json!({"grace": "1h"})),
        ] {
            let refused = repeatable(&server, &token, path, key, &body);
            assert_problem(&refused, 422, "idempotency_key_reused");
            assert!(!refused.text.contains("sw_live_"), "{}", refused.text);
        }
        assert_eq!(listed(&server, &token, "").len(), 1);
        server.database.execute(&format!("UPDATE idempotency_keys SET created_at = created_at - {}", 3_601_000));
        let mut bare = first.body.clone();
        bare.as_object_mut().unwrap().remove("key");
        let late = repeatable(&server, &token, "/keys", "create", &minimal_key("once"));
        assert_eq!((late.status, late.body), (201, bare), "after an hour the object without the key");
        let refused = repeatable(&server, &token, "/keys", "free", &json!({"name": "x"}));
        assert_invalid(&refused, &["scopes"]);
        assert_eq!(repeatable(&server, &token, "/keys", "free", &minimal_key("x")).status, 201);
    }

    fn every_change_has_its_event_and_no_event_has_a_key(database) {
        let server = Server::start(database);
        let token = owner(&server);
        made_user(&server, &token, "ann@example.com", "developer");
        let acme = entered_customer(&server, &token, "acme");
        let body = json!({"name": "seen", "scopes": ["orders:read"], "customers": ["acme"]});
        let answer = server.api("POST", "/keys", &token, Some(&body));
        let (id, key) = (text(&answer.body["id"]), text(&answer.body["key"]));
        let mut keys = vec![key.clone()];
        let check = |answer: &Answer, action: &str, outcome: &str, reason: &str| {
            let events = events_of(&server, &token, answer);
            assert_eq!(events.len(), 1, "{action}: {events:?}");
            let event = &events[0];
            assert_eq!((event["action"].as_str(), event["outcome"].as_str()), (Some(action), Some(outcome)), "{event}");
            assert_eq!((event["reason"].as_str(), &event["status"]), (Some(reason), &json!(answer.status)), "{event}");
            assert!(text(&event["actor"]).starts_with("cli_"), "{event}");
            if outcome == "success" {
                assert_eq!((&event["target"], &event["environment"]), (&json!(id), &json!("production")), "{event}");
                if action != "key.read" {
                    assert_eq!(event["customer"], json!(acme), "{event}");
                }
            }
        };
        check(&answer, "key.create", "success", "ok");
        for (method, action, body, event) in [
            ("GET", "", None, "key.read"),
            ("PATCH", "", Some(json!({"name": "other"})), "key.update"),
            ("POST", "/rotate", Some(json!({"grace": "1h"})), "key.rotate"),
            ("POST", "/disable", None, "key.disable"),
            ("POST", "/enable", None, "key.enable"),
            ("POST", "/transfer", Some(json!({"owner": "ann@example.com"})), "key.transfer"),
            ("POST", "/revoke", None, "key.revoke"),
        ] {
            let answer = server.api(method, &format!("/keys/{id}{action}"), &token, body.as_ref());
            assert_eq!(answer.status, 200, "{action}: {}", answer.text);
            keys.extend(answer.body["key"].as_str().map(str::to_owned));
            check(&answer, event, "success", "ok");
        }
        for (action, body, event, reason) in [
            ("/enable", json!({}), "key.enable", "revoked"),
            ("/rotate", json!({}), "key.rotate", "revoked"),
            ("/rotate", json!({"grace": "31d"}), "key.rotate", "invalid_input"),
            ("/transfer", json!({"owner": "nobody"}), "key.transfer", "invalid_input"),
        ] {
            let answer = server.api("POST", &format!("/keys/{id}{action}"), &token, Some(&body));
            check(&answer, event, "refused", reason);
        }
        check(&server.api("POST", "/keys", &token, Some(&json!({"name": "x"}))), "key.create", "refused", "invalid_input");
        check(&server.api("POST", "/keys/key_1/revoke", &token, None), "key.revoke", "refused", "not_found");
        verdict(&server, &token, &key, &json!({}));
        assert_eq!(keys.len(), 2);
        let events = serde_json::to_string(&server.events(&[])).unwrap();
        assert!(events.contains(&id));
        for key in &keys {
            assert!(!events.contains(&key[12..]), "{key}");
            assert_nowhere_at_rest(&server, key);
        }
    }

    fn nobody_gives_widens_or_takes_over_what_it_does_not_hold(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let narrow = server.management_token(&server.client("sealwright.keys:* orders:read"));
        let (wide, wide_key) = created_key(&server, &token, &json!({"name": "wide", "scopes": ["orders:write"]}));
        let wide = format!("/keys/{}", text(&wide["id"]));
        let (own, _) = created_key(&server, &narrow, &minimal_key("own"));
        let own = format!("/keys/{}", text(&own["id"]));
        for (method, path, body) in [
            ("POST", "/keys".to_owned(), json!({"name": "x", "scopes": ["orders:write"]})),
            ("POST", "/keys".to_owned(), json!({"name": "x", "preset": "read-only"})),
            ("POST", "/keys".to_owned(), json!({"name": "x", "type": "internal", "scopes": ["admin"]})),
            ("POST", "/keys".to_owned(), json!({"name": "x", "scopes": ["orders:*"]})),
            ("PATCH", own.clone(), json!({"scopes": ["orders:read", "orders:write"]})),
            ("PATCH", wide.clone(), json!({"scopes": ["orders:read"]})),
            ("PATCH", wide.clone(), json!({"expires_at": null})),
            ("PATCH", wide.clone(), json!({"allowed_ips": []})),
            ("POST", format!("{wide}/rotate"), json!({})),
            ("POST", format!("{wide}/enable"), json!({})),
            ("POST", format!("{wide}/transfer"), json!({"owner": null})),
        ] {
            let answer = server.api(method, &path, &narrow, Some(&body));
            assert_problem(&answer, 403, "scope_exceeds_caller");
            assert!(!answer.text.contains("sw_live_"));
        }
        assert_eq!(standing(&server, &token, &wide_key), "VALID", "nothing happened to it");
        // To rename it, and to stop it, takes the permission alone.
        assert_eq!(server.api("PATCH", &wide, &narrow, Some(&json!({"name": "renamed"}))).status, 200);
        assert_eq!(server.api("POST", &format!("{wide}/disable"), &narrow, None).status, 200);
        assert_eq!(standing(&server, &token, &wide_key), "DISABLED");
        assert_problem(&server.api("POST", &format!("{wide}/enable"), &narrow, None), 403, "scope_exceeds_caller");
        assert_eq!(server.api("POST", &format!("{wide}/revoke"), &narrow, None).status, 200);
        assert_eq!(standing(&server, &token, &wide_key), "REVOKED");
        assert_eq!(server.api("POST", &format!("{own}/rotate"), &narrow, None).status, 200);
    }

    fn an_id_that_names_nothing_is_not_found(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let staging = server.key_with("orders:read", &["--environment", "staging"]);
        let client = server.client("orders:read");
        for id in ["key_0199c0de0000700080000000000000ff", "key_1", "x", &staging.id, &client.id, "%F0%9F%92%A9", "%00",
            &"a".repeat(500)] {
            for (method, action) in [("GET", ""), ("PATCH", ""), ("POST", "/rotate"), ("POST", "/disable"),
                ("POST", "/enable"), ("POST", "/revoke"), ("POST", "/transfer")] {
                let body = (method != "GET").then(|| if action == "/transfer" { json!({"owner": null}) } else { json!({}) });
                let answer = server.api(method, &format!("/keys/{id}{action}"), &token, body.as_ref());
                assert_problem(&answer, 404, "not_found");
            }
        }
        let staging_client = server.client_with("sealwright.admin admin", &["--environment", "staging"]);
        let staging_token = management_token_of(&server, "staging", &staging_client);
        let asked = json!({"environment": "staging"});
        assert_eq!(code(&server, &staging_token, &staging.key, &asked), "VALID");
        assert_eq!(code(&server, &token, &staging.key, &asked), "WRONG_ENVIRONMENT", "the caller is of production");
        assert_eq!(standing(&server, &token, &staging.key), "WRONG_ENVIRONMENT");
    }

    /// A list that is narrowed to what is due has those that are shown as due, and no others.
    fn the_list_of_what_is_due_agrees_with_what_each_key_shows(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let soon = now() + 500;
        let make = |name: &str| text(&created_key(&server, &token, &minimal_key(name)).0["id"]);
        let mut ended = minimal_key("ended");
        ended["expires_at"] = json!(rfc3339(soon));
        created_key(&server, &token, &ended);
        let (gone, stopped) = (make("gone"), make("stopped"));
        make("old");
        server.api("POST", &format!("/keys/{gone}/revoke"), &token, None);
        server.api("POST", &format!("/keys/{stopped}/disable"), &token, None);
        server.database.execute(&format!("UPDATE api_keys SET rotated_at = rotated_at - {}", 91 * DAY));
        make("fresh");
        wait_until(soon);
        let all = server.api("GET", "/keys", &token, None).body;
        let due = |is_due: bool| {
            let rows = all["data"].as_array().unwrap().iter().filter(|key| key["rotation_due"] == json!(is_due));
            rows.map(|key| text(&key["name"])).collect::<Vec<_>>()
        };
        assert_eq!((due(true), due(false)), (vec!["old".into(), "stopped".into()], vec!["fresh".into(), "gone".into(), "ended".into()]));
        let listed = |query: &str| column(&server.api("GET", &format!("/keys?{query}"), &token, None), "name");
        assert_eq!(listed("rotation_due=true"), due(true), "what has ended need not be rotated");
        let commands = server.cli(&["key", "list", "--rotation-due"]);
        assert_eq!(commands["data"].as_array().unwrap().len(), 2, "{commands}");
        assert_eq!(listed("rotation_due=false"), due(false), "false is not the same as not asked");
    }
}
