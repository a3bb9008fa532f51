//! What callers are told: which scope a method needs, who is refused, and with which fields.

use super::{Api, Site, Start, TestKey, assert_refused, curl, seconds};

fn without_limits_nothing_is_said_of_them(gateway: Start) {
    let site = Site::start(gateway);
    let unlimited = ["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"];
    let key = site.key("orders:read", &unlimited);
    let response = site.get("/orders", &key, &[]);
    assert_eq!((response.status, response.header("RateLimit"), response.header("RateLimit-Policy")), (200, "", ""));
}

fn each_method_needs_its_scope(gateway: Start) {
    let site = Site::start(gateway);
    let key = |scope: &str| site.key(scope, &[]);
    let (reading, writing, deleting) = (key("orders:read"), key("orders:write"), key("orders:delete"));
    let body = "x".repeat(100_000);
    let with_body = ["--data", body.as_str()];
    let methods: [(&[&str], &TestKey, &str); 6] = [
        (&[], &reading, "orders:read"),
        (&["-X", "OPTIONS"], &reading, "orders:read"),
        (&with_body, &writing, "orders:write"),
        (&["-X", "PUT", "--data", "x"], &writing, "orders:write"),
        (&["-X", "PATCH", "-H", "Transfer-Encoding: chunked", "--data", "x"], &writing, "orders:write"),
        (&["-X", "DELETE"], &deleting, "orders:delete"),
    ];
    for (arguments, key, scope) in methods {
        let response = site.get("/orders", key, arguments);
        assert_eq!(response.status, 200, "{scope}: {}", response.text);
        let length =
            arguments.iter().position(|argument| *argument == "--data").map_or(0, |at| arguments[at + 1].len());
        assert_eq!(response.body["body_bytes"], length, "{scope}");
        for other in [&reading, &writing, &deleting].into_iter().filter(|other| other.id != key.id) {
            let response = site.get("/orders", other, arguments);
            assert_refused(&response, 403);
            let challenge = response.header("WWW-Authenticate");
            assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
            assert!(challenge.contains(&format!(r#"scope="{scope}""#)), "{challenge}");
        }
    }
    let head = site.get("/orders", &reading, &["--head"]);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_refused(&site.get("/invoices", &reading, &[]), 403);
    assert_eq!(site.get("/invoices/1", &key("invoices:read"), &[]).status, 200);
}

fn who_is_not_known_is_refused_with_a_challenge(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.orders_key();
    let staging = site.key("orders:read", &["--environment", "staging"]);
    let twice: [&str; 4] = ["-H", &key.field, "-H", &format!("Authorization: Bearer {}", &key.field[11..])];
    let wrong = format!("{}x", key.field);
    let callers: [(&str, &[&str]); 7] = [
        ("nothing", &[]),
        ("a wrong key", &["-H", &wrong]),
        ("a key of staging", &["-H", &staging.field]),
        ("no JWT", &["-H", "Authorization: Bearer a.b.c"]),
        ("Basic", &["-u", "cli_1:secret"]),
        ("two credentials", &twice),
        ("an identity of its own", &["-H", "X-Auth-Credential: key_1", "-H", "X-Auth-Subject: key_1"]),
    ];
    for (name, arguments) in callers {
        for more in [&[][..], &["--data", "x"]] {
            let response = site.gateway.get("/orders", &[arguments, more].concat());
            assert_refused(&response, 401);
            assert!(response.header("WWW-Authenticate").starts_with("Bearer"), "{name}: {:?}", response.headers);
            assert_eq!(site.event(response.header("X-Request-Id"))["status"], 401, "{name}");
        }
    }
    assert_eq!(site.get("/orders", &key, &[]).status, 200);
}

fn a_caller_over_its_limit_is_told_when_to_come_again(gateway: Start) {
    let site = Site::start(gateway);
    let limits = ["--rate-per-minute", "3", "--burst-per-second", "unlimited"];
    let key = site.key("orders:read", &limits);
    for _ in 0..3 {
        assert_eq!(site.get("/orders", &key, &[]).status, 200);
    }
    let response = site.get("/orders", &key, &[]);
    assert_refused(&response, 429);
    assert!((1..=20).contains(&seconds(&response)), "{:?}", response.headers);
    assert!(response.header("RateLimit").contains(";r=0"), "{:?}", response.headers);
    assert!(response.header("RateLimit-Policy").contains(";q=3"), "{:?}", response.headers);
    assert_eq!(site.event(response.header("X-Request-Id"))["credential"], key.id.as_str());
    assert_eq!(site.get("/orders", &site.orders_key(), &[]).status, 200, "another caller");
}

fn a_revoked_key_is_refused_at_once(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.orders_key();
    assert_eq!(site.get("/orders", &key, &[]).status, 200);
    site.server.manage("POST", &format!("/keys/{}/revoke", key.id), None);
    assert_refused(&site.get("/orders", &key, &[]), 401);
}

fn paths_that_could_be_read_in_two_ways_are_refused(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.key("orders:read", &["--burst-per-second", "unlimited"]);
    for path in [
        "/status/../orders",
        "/orders/../status",
        "/orders/..",
        "/orders/.",
        "/orders/./1",
        "/orders/%2e%2e/status",
        "/orders/.%2E/status",
        "/orders/..%2fstatus",
        "/orders%2F..%2Fstatus",
        "/orders/..;/status",
        "/orders/..\\status",
        "/orders/%5c..%5cstatus",
        "/orders/%252e%252e/status",
        "//orders",
        "/orders//1",
        "/orders/%00",
    ] {
        let response = site.get(path, &key, &[]);
        // Apache itself has no page for NUL, and the others refuse it with the rest.
        let is_refused = response.status == 400 || (response.status == 404 && path.contains("%00"));
        assert!(is_refused, "{path}: {} {}", response.status, response.text);
        assert!(response.body["headers"].is_null(), "{path} reached the API");
    }
    // What no route names does not exist, whoever asks.
    for path in ["/", "/ordersx", "/orders;x", "/status/1", "/.sealwright/orders:read", "/.sealwright/"] {
        assert_eq!(site.get(path, &key, &[]).status, 404, "{path}");
    }
    for path in ["/orders/a..b", "/orders/.hidden", "/orders/%C3%A4?back=../..", "/orders/1?q=//"] {
        assert_eq!(site.get(path, &key, &[]).status, 200, "{path}");
    }
}

/// The last defence of an API that can be reached past its gateway.
#[test]
fn the_example_api_serves_nobody_who_is_not_named() {
    let api = Api::start();
    let ask = |path: &str, arguments: &[&str]| curl(&format!("http://{}{path}", api.address), arguments).status;
    assert_eq!(ask("/orders", &[]), 500);
    assert_eq!(ask("/orders", &["-H", "X-Auth-Credential;"]), 500);
    assert_eq!(ask("/orders", &["-H", "X-Auth-Credential: key_1", "-H", "x-auth-credential: key_2"]), 500);
    assert_eq!(ask("/orders", &["-H", "X-Auth-Credential: key_1"]), 200);
    assert_eq!(ask("/status", &[]), 200);
}

super::for_each_gateway! {
    without_limits_nothing_is_said_of_them
    each_method_needs_its_scope
    who_is_not_known_is_refused_with_a_challenge
    a_caller_over_its_limit_is_told_when_to_come_again
    a_revoked_key_is_refused_at_once
    paths_that_could_be_read_in_two_ways_are_refused
}
