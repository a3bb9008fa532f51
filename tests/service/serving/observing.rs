//! Request ids, the log, metrics and health.

use super::*;

/// Every response carries `X-Request-Id`, which the audit event and the log line carry too.
#[test]
fn every_answer_has_an_id_that_its_one_log_line_and_its_event_have_too() {
    let server = start(&[]);
    let client = server.client("orders:read");
    let etag = server.get("/.well-known/jwks.json").header("etag").to_owned();
    let (long, secret) = ("x".repeat(17 * 1024), "hunter2-in-the-query");
    let requests = [
        (200, get(&format!("/healthz?secret={secret}"), "")),
        (200, get("/readyz", "")),
        (200, get("/metrics", "")),
        (304, get("/.well-known/jwks.json", &format!("If-None-Match: {etag}\r\n"))),
        (401, get("/metrics", "X-Forwarded-For: 203.0.113.1\r\n")),
        (404, get(&format!("/nothing?secret={secret}"), "")),
        (404, post("/api/oauth/nothing", "")),
        (405, get("/api/oauth/token", "")),
        (401, get(&format!("/api/v1/clients?secret={secret}"), "")),
        (400, post(&format!("/api/oauth/token?client_secret={secret}"), "grant_type=client_credentials")),
        (413, post("/api/oauth/token", &long)),
        (431, get("/healthz", &format!("X-Long: {long}\r\n"))),
        (414, get(&format!("/{long}"), "")),
    ];
    let mut ids = Vec::new();
    for (expected, request) in &requests {
        let response = ask(&server, request);
        assert_eq!(response.status, *expected, "{}", request.lines().next().unwrap());
        ids.push(response.header("x-request-id").to_owned());
    }
    let token = server.token(&client);
    ids.push(token.header("x-request-id").to_owned());
    // What a caller sends as an id is not taken over.
    let response = ask(&server, &get("/healthz", "X-Request-Id: mine\r\n"));
    assert_ne!(response.header("x-request-id"), "mine");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "ids recur: {ids:?}");
    // The raw responses' heads were made lower-case; so is the log here.
    let last = ids.last().unwrap().clone();
    eventually("the last line is logged", Duration::from_secs(10), || server.log().contains(&last));
    let log = server.log().to_lowercase();
    for id in &ids {
        assert!(!id.is_empty());
        let id = id.to_lowercase();
        assert_eq!(log.lines().filter(|line| line.contains(&id)).count(), 1, "{id} in\n{log}");
    }
    assert!(!log.contains(secret), "a query stands in the log");
    let events = server.events(&["--request-id", token.header("x-request-id")]);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["action"], "token.issue");
    assert!(server.events(&[]).iter().all(|event| !event.to_string().contains(secret)));
}

/// `/metrics` answers loopback peers whose request carries no forwarding header, and
/// `sealwright.metrics:read`.
#[test]
fn metrics_are_for_loopback_and_who_may_read_them() {
    let server = start(&[]);
    let audience = format!("{}/api/v1", server.url);
    let reader = server.client_with("sealwright.metrics:read", &["--audience", &audience]);
    let other = server.client_with("sealwright.clients:read", &["--audience", &audience]);
    let (allowed, refused) = (server.management_token(&reader), server.management_token(&other));
    assert_eq!(server.api("GET", &format!("/clients/{}", other.id), &refused, None).status, 200);
    assert_eq!(server.get("/metrics").status, 200);
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X_Forwarded_For"] {
        let request = || server.http.get(format!("{}/metrics", server.url)).header(name, "203.0.113.1");
        assert_eq!(server.send(request()).status, 401, "{name}");
        assert_eq!(server.send(request().bearer_auth(&refused)).status, 403, "{name}");
        assert_eq!(server.send(request().bearer_auth(&allowed)).status, 200, "{name}");
    }
    let text = server.get("/metrics").text;
    assert!(text.ends_with("# EOF\n"));
    for name in ["sealwright_http_requests_total{route=", "sealwright_audit_events_total ", "_seconds_bucket{le="] {
        assert!(text.contains(name), "{name} in\n{text}");
    }
    for id in [&reader.id, &other.id] {
        assert!(!text.contains(id.as_str()), "a credential is named");
    }
    // A path that nobody foresaw is no label of its own: it could be anything.
    assert_eq!(server.get("/nothing-of-the-kind").status, 404);
    assert!(!server.get("/metrics").text.contains("nothing-of-the-kind"));
    let ready = server.get("/readyz");
    assert_eq!((ready.status, ready.body["status"].as_str()), (200, Some("ok")));
}

/// Everyone who reaches the port can send what is no HTTP: it is counted, and is no error of this service.
#[test]
fn heads_that_cannot_be_read_are_counted_and_are_no_errors() {
    let server = start(&[]);
    let count = |reason: &str| -> u64 {
        let text = server.get("/metrics").text;
        let line = format!("sealwright_http_unread_heads_total{{reason=\"{reason}\"}} ");
        text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    };
    let too_many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let heads = [
        ("malformed", 400, "GET / HTTP/9.9\r\n\r\n".to_owned()),
        ("malformed", 400, "\u{0}\u{1}\u{2}\r\n\r\n".to_owned()),
        ("malformed", 400, "GET /healthz HTTP/1.1\r\nHost: a b\u{0}\r\n\r\n".to_owned()),
        ("malformed", 400, "GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_owned()),
        ("malformed", 400, get("/healthz", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")),
        ("too_large", 431, get("/healthz", &too_many)),
        ("too_large", 431, format!("GET /healthz HTTP/1.1\r\nX-Long: {}", "x".repeat(200 * 1024))),
    ];
    for (reason, status, head) in heads {
        let before = count(reason);
        let mut connection = connect(&server);
        connection.send(&head);
        let start: String = head.chars().take(60).collect();
        if let Some(response) = connection.response() {
            assert_eq!(response.status, status, "{start:?}");
        }
        drop(connection);
        eventually("it is counted", Duration::from_secs(10), || count(reason) == before + 1);
    }
    assert!(!server.log().contains(" ERROR "), "{}", server.log());
}

/// Each line of the log is one object, what a caller sends included.
#[test]
fn the_log_is_json_where_that_is_set() {
    let server = start(&[("LOG_FORMAT", "json")]);
    let response = ask(&server, &get("/healthz/%22%0A%7B", ""));
    assert_eq!(response.status, 404);
    let id = response.header("x-request-id").to_owned();
    let lines = || -> Vec<serde_json::Value> {
        let log = server.log();
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    };
    let line_of = |id: &str| {
        lines().into_iter().find(|line| line["request_id"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(id)))
    };
    eventually("the request is logged", Duration::from_secs(10), || line_of(&id).is_some());
    let line = line_of(&id).unwrap();
    for (member, expected) in [
        ("level", "info".into()),
        ("target", "sealwright::access".into()),
        ("message", "request".into()),
        ("method", "GET".into()),
        ("status", serde_json::json!(404)),
        ("address", "127.0.0.1".into()),
    ] {
        assert_eq!(line[member], expected, "{line}");
    }
    assert!(line["time"].as_str().unwrap().ends_with('Z') && line["micros"].is_u64(), "{line}");
    assert!(lines().iter().any(|line| line["message"].as_str().unwrap().starts_with("listening on")));
}

/// How often keys were verified and gateways asked, by code, and tokens refused, by the reason of their events.
#[test]
fn decisions_are_counted_by_code_and_reason() {
    let server = start(&[]);
    let audience = format!("{}/api/v1", server.url);
    let verifier = server.key("sealwright.keys:verify");
    let key = server.key_with("orders:read", &["--rate-per-minute", "4", "--burst-per-second", "4"]);
    let client = server.client_with("orders:read", &["--audience", &audience]);
    let verify = |key: &str, scope: &str, cost: u32| {
        let body = serde_json::json!({"key": key, "environment": "production", "scopes": [scope], "cost": cost});
        let response = server.api_with_key("POST", "/keys/verify", &verifier.key, Some(&body));
        assert_eq!(response.status, 200, "{}", response.text);
    };
    verify(&key.key, "orders:read", 1);
    verify(&key.key, "orders:write", 1);
    verify(&key.key, "orders:read", 5);
    verify("sw_live_x", "orders:read", 1);
    verify("sw_live_x", "orders:read", 1);
    let forward = |key: &str, status: u16| {
        let request = server.http.get(format!("{}/api/v1/forward-auth?scope=orders:read", server.url));
        let request = if key.is_empty() { request } else { request.header("x-api-key", key) };
        assert_eq!(server.send(request).status, status);
    };
    forward(&key.key, 200);
    forward(&verifier.key, 403);
    forward("", 401);
    forward("sw_live_x", 401);
    let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
    let unknown = TestClient { id: "cli_x".to_owned(), ..client.clone() };
    assert_eq!((server.token(&wrong).status, server.token(&wrong).status), (401, 401));
    assert_eq!((server.token(&unknown).status, server.token(&client).status), (401, 200));
    let text = server.get("/metrics").text;
    for line in [
        r#"sealwright_key_verifications_total{code="VALID"} 1"#,
        r#"sealwright_key_verifications_total{code="INSUFFICIENT_SCOPE"} 1"#,
        r#"sealwright_key_verifications_total{code="RATE_LIMITED"} 1"#,
        r#"sealwright_key_verifications_total{code="NOT_FOUND"} 2"#,
        r#"sealwright_forward_auth_total{code="ok"} 1"#,
        r#"sealwright_forward_auth_total{code="insufficient_scope"} 1"#,
        r#"sealwright_forward_auth_total{code="no_credentials"} 1"#,
        r#"sealwright_forward_auth_total{code="invalid_token"} 1"#,
        r#"sealwright_token_refusals_total{reason="wrong_secret"} 2"#,
        r#"sealwright_token_refusals_total{reason="unknown_client"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

/// The guide lists each metric with its labels, and no other.
#[test]
fn the_guide_lists_every_metric() {
    let lines = tempfile::tempdir().unwrap();
    let lines = lines.path().join("events.jsonl");
    let server = start(&[("AUDIT_JSON_LINES", lines.to_str().unwrap())]);
    // What is counted by labels is shown from the first time on.
    ask(&server, &get("/healthz", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"));
    ask(&server, &get("/api/v1/forward-auth", ""));
    ask(&server, &post("/api/oauth/token", "grant_type=client_credentials"));
    let verifier = server.key("sealwright.keys:verify");
    let body = serde_json::json!({"key": "sw_live_x", "environment": "production"});
    server.api_with_key("POST", "/keys/verify", &verifier.key, Some(&body));
    let text = server.get("/metrics").text;
    let found: HashSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let guide = std::fs::read_to_string(programs::source("docs/guides/operators.md")).unwrap();
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `sealwright_")?.split_once('`'));
    let listed: Vec<String> = rows.map(|(name, _)| format!("sealwright_{}", name.trim_end_matches("_total"))).collect();
    for name in &found {
        assert!(listed.iter().any(|row| row == name), "{name} is not in the guide");
    }
    for name in &listed {
        assert!(found.contains(name.as_str()), "there is no {name}");
    }
}
