//! Floods of refusals: what of them is stored, whether or not the credential exists, and what is stored while little
//! disk is free.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::secrets;
use crate::support::{Database, Kind, Response, Server, TestClient, Work, both, eventually};

const PROXIED: (&str, &str) = ("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#);

/// A client that does not exist.
fn unknown(number: u32) -> TestClient {
    TestClient { id: format!("cli_{number:032x}"), secret: "wrong".to_owned() }
}

/// Asks for a token from an address behind a trusted proxy.
fn token_from(server: &Server, address: &str, client: &TestClient) -> Response {
    let request = server.http.post(format!("{}/api/oauth/token", server.url)).header("x-forwarded-for", address);
    let form = [("grant_type", "client_credentials")];
    server.send(request.basic_auth(&client.id, Some(&client.secret)).form(&form))
}

/// Sends requests at one moment by the server's clock, so that little refills however long they take. Returns how long
/// they and the longest of them took.
fn at_once(server: &Server, requests: u32, send: impl Fn(u32)) -> [Duration; 2] {
    let (began, now, mut longest) = (Instant::now(), server.now(), 0);
    for number in 0..requests {
        send(number);
        let passed = server.now() - now;
        longest = longest.max(passed);
        server.advance(-passed);
    }
    [began.elapsed(), Duration::from_millis(longest as u64)]
}

/// The events of refusals with this reason, oldest first: the numbers of requests that they are for.
fn counts(server: &Server, reason: &str) -> Vec<i64> {
    let of = "FROM audit_log WHERE outcome = 'refused' AND reason";
    server.database.numbers(&format!("SELECT count AS n {of} = '{reason}' ORDER BY serial"))
}

/// Asserts that of `requests` refusals `singly` have an event each, and the others one summary a second, one of which
/// is returned. Buckets refill `refill` a minute.
#[track_caller]
fn assert_summed(
    server: &Server,
    reason: &str,
    requests: i64,
    (singly, refill): (i64, i64),
    [all, longest]: [Duration; 2],
) -> Value {
    server.work(Work::StoreNotes);
    let counts = counts(server, reason);
    assert_eq!(counts.iter().sum::<i64>(), requests, "{reason}: {counts:?}");
    // A server also stores summaries by itself, of one refusal where no more came in that second.
    let (summaries, refilled) = (all.as_secs() as i64 + 2, (longest.as_secs_f64() / 60.0 * refill as f64) as i64 + 1);
    let of_one = counts.iter().filter(|count| **count == 1).count() as i64;
    assert!((singly - refilled..=singly + refilled + summaries).contains(&of_one), "{reason}: {of_one} singly");
    assert!(counts.len() as i64 - of_one <= summaries, "one summary a second: {counts:?}");
    let events = server.events(&["--outcome", "refused"]);
    let is_summary = |event: &&Value| event["reason"] == reason && event["count"].as_i64() > Some(1);
    events.iter().find(is_summary).unwrap_or_else(|| panic!("no summary of {reason}")).clone()
}

both! {
    /// SPEC §6: at most 30 a minute of one client, as claimed, whether or not it exists; 429 is a refusal like others.
    fn refusals_of_a_known_client_are_summed_up_as_those_of_an_unknown_one(database) {
        let server = Server::start(database);
        let known = server.client("orders:read");
        let wrong = TestClient { secret: "wrong".to_owned(), ..known.clone() };
        let limited = server.client_with("orders:read", &["--rate-per-minute", "1"]);
        assert_eq!(server.token(&limited).status, 200);
        let other = server.client("orders:read");
        for (client, status, reason) in
            [(&wrong, 401, "wrong_secret"), (&unknown(1), 401, "unknown_client"), (&limited, 429, "rate_limited")]
        {
            // A minute later, so that what the address may is not used up.
            server.advance(60_000);
            if reason == "rate_limited" {
                assert_eq!(server.token(client).status, 200);
            }
            let times = at_once(&server, 200, |_| assert_eq!(server.token(client).status, status));
            let summary = assert_summed(&server, reason, 200, (30, 30), times);
            let expected = if reason == "unknown_client" { Value::Null } else { json!(client.id) };
            assert_eq!(summary["credential"], expected, "{summary}");
            assert_eq!((&summary["status"], &summary["path"]), (&json!(status), &json!("/api/oauth/token")));
            let actor = if reason == "rate_limited" { client.id.as_str() } else { "anonymous" };
            assert_eq!((&summary["actor"], &summary["address"]), (&json!(actor), &json!("127.0.0.1")));
        }
        let wrong = TestClient { secret: "wrong".to_owned(), ..other };
        let first = server.token(&wrong);
        assert_eq!(server.events(&["--request-id", first.header("x-request-id")]).len(), 1, "of another client");
        let metrics = server.get("/metrics").text;
        let summed = metrics.lines().find_map(|line| line.strip_prefix("sealwright_audit_summed_refusals_total "));
        assert!(summed.unwrap().parse::<i64>().unwrap() > 450, "{summed:?}");
    }

    /// SPEC §6: for keys likewise, however they are used.
    fn refusals_of_a_known_key_are_summed_up_as_those_of_an_unknown_one(database) {
        let server = Server::start(database);
        let (known, owner) = (server.key("orders:read"), server.owner());
        server.manage("POST", &format!("/keys/{}/revoke", known.id), None);
        for (key, reason) in [(known.key, "key_revoked"), (secrets::api_key(), "unknown_key")] {
            server.advance(60_000);
            let times = at_once(&server, 30, |_| {
                let question = json!({"key": key, "environment": "production"});
                let response = server.api("POST", "/keys/verify", &owner, Some(&question));
                assert_eq!((response.status, &response.body["valid"]), (200, &json!(false)));
                assert_eq!(server.api_with_key("GET", "/forward-auth", &key, None).status, 401);
            });
            assert_summed(&server, reason, 60, (30, 30), times);
        }
    }

    /// SPEC §6: 100 a minute from one IPv4 address, IPv6 /64 and IPv6 /48, and 1,000 in all.
    fn refusals_are_summed_up_by_source(database) {
        let server = Server::start_with(database, &[PROXIED]);
        let times = at_once(&server, 150, |number| {
            let address = format!("2001:db8:7:{number:x}::1");
            assert_eq!(token_from(&server, &address, &unknown(number)).status, 401);
        });
        let summary = assert_summed(&server, "unknown_client", 150, (100, 100), times);
        assert_eq!((&summary["address"], &summary["action"]), (&Value::Null, &json!("token.issue")), "{summary}");

    }

    fn refusals_are_summed_up_in_all(database) {
        let server = Server::start_with(database, &[PROXIED]);
        let times = at_once(&server, 1_100, |number| {
            let address = format!("10.0.{}.{}", number / 250, number % 250);
            assert_eq!(token_from(&server, &address, &unknown(number)).status, 401);
        });
        assert_summed(&server, "unknown_client", 1_100, (1_000, 1_000), times);
    }

    /// A summary of several actors, addresses and actions names none of them.
    fn a_summary_names_what_its_refusals_have_in_common(database) {
        let server = Server::start_with(database, &[PROXIED]);
        let owner = server.owner();
        at_once(&server, 80, |number| {
            let (query, address) = (format!("/clients/cli_{number:032x}"), format!("198.51.100.{}", number % 2));
            for path in [&query, "/users/usr_1"] {
                let request = server.http.get(format!("{}/api/v1{path}", server.url)).bearer_auth(&owner);
                assert_eq!(server.send(request.header("x-forwarded-for", &address)).status, 404);
            }
        });
        server.work(Work::StoreNotes);
        let events = server.events(&["--outcome", "refused"]);
        let summary = events.iter().max_by_key(|event| event["count"].as_i64()).unwrap();
        assert!(summary["count"].as_i64() > Some(3), "{summary}");
        assert_eq!((&summary["action"], &summary["address"]), (&json!("request.refuse"), &Value::Null), "{summary}");
        assert_eq!((&summary["path"], &summary["target"]), (&json!(""), &Value::Null), "{summary}");
        assert_eq!(summary["reason"], "not_found");
    }

    /// SPEC §6: below `min_free_disk` refusals are not stored; what is granted is. PostgreSQL's disk is not known here.
    fn while_little_disk_is_free_no_refusal_is_stored(database) {
        let is_sqlite = database.kind == Kind::Sqlite;
        let server = Server::start_with(database, &[("MIN_FREE_DISK", "1000000TiB")]);
        let client = server.client("orders:read");
        for _ in 0..5 {
            assert_eq!(server.token(&unknown(1)).status, 401);
            assert_eq!(server.token(&TestClient { secret: "wrong".to_owned(), ..client.clone() }).status, 401);
        }
        server.work(Work::StoreNotes);
        let expected = if is_sqlite { vec![] } else { vec![1; 5] };
        assert_eq!((counts(&server, "unknown_client"), counts(&server, "wrong_secret")), (expected.clone(), expected));
        let granted = server.token(&client);
        assert_eq!(granted.status, 200);
        assert_eq!(server.events(&["--request-id", granted.header("x-request-id")]).len(), 1);
        let metrics = server.get("/metrics").text;
        assert_eq!(metrics.contains("\nsealwright_disk_low 1\n"), is_sqlite, "{metrics}");
        assert_eq!(metrics.contains("\nsealwright_free_disk_bytes "), is_sqlite, "{metrics}");
        let findings = server.cli(&["doctor"]);
        let disk = findings["data"].as_array().unwrap().iter().find(|finding| finding["check"] == "disk");
        assert_eq!(disk.map(|finding| finding["verdict"] == "warning"), is_sqlite.then_some(true), "{findings}");
    }

    /// ARCHITECTURE: an unknown id costs what a wrong secret costs, in rows and in queries.
    fn a_known_client_costs_the_queries_and_rows_of_an_unknown_one(database) {
        let server = Server::start(database);
        let known = server.client("orders:read");
        assert_eq!(server.token(&known).status, 200);
        let wrong = TestClient { secret: known.secret.replace("sws_", "sws_0"), ..known.clone() };
        let cost = |client: &TestClient, requests: u32| {
            let value = |name: &str| {
                let metrics = server.get("/metrics").text;
                let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("sealwright_{name}_total ")));
                line.unwrap_or_else(|| panic!("{name}: {metrics}")).parse::<i64>().unwrap()
            };
            let read = || {
                let refusals = "SELECT COUNT(*) AS n FROM audit_log WHERE outcome = 'refused' AND count = 1";
                let names = ["credential_cache_misses", "audit_summed_refusals", "argon2_checks"];
                [&server.database.numbers(refusals)[..], &names.map(value)].concat()
            };
            let before = read();
            at_once(&server, requests, |_| assert_eq!(server.token(client).status, 401));
            read().iter().zip(&before).map(|(after, before)| after - before).collect::<Vec<_>>()
        };
        let singly = [cost(&wrong, 10), cost(&unknown(1), 10)];
        assert_eq!(singly, [vec![10, 10, 0, 0], vec![10, 10, 0, 0]], "rows, queries, summed refusals, Argon2");
        let all = [cost(&wrong, 100), cost(&unknown(1), 100)];
        assert_eq!(all.each_ref().map(|cost| (cost[1], cost[3])), [(100, 0); 2], "{all:?}");
        assert!(all.iter().all(|cost| cost[2] > 60 && (100..110).contains(&(cost[0] + cost[2]))), "{all:?}");
    }
}

/// A process looks at the disk by itself.
#[test]
fn a_server_says_that_little_disk_is_free() {
    let server = Server::spawn_with(Database::new(Kind::Sqlite), &[("MIN_FREE_DISK", "1000000TiB")]);
    let says = || server.log().contains("less than min_free_disk is free");
    eventually("the log says it", Duration::from_secs(20), says);
    assert_eq!(server.log().matches("less than min_free_disk").count(), 1, "once");
}
