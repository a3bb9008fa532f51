//! Bounds on size, time and number.

use super::*;

#[test]
fn a_slow_body_gets_408_and_a_slow_head_is_closed() {
    let server = start(&[("REQUEST_TIMEOUT", "1s")]);
    let head = "POST /api/oauth/token HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n";
    // One that stops, and one that trickles.
    for trickle in [false, true] {
        let mut slow = connect(&server);
        let asked = Instant::now();
        assert!(slow.send(head) && slow.send("grant_type="));
        slow.patience(Duration::from_millis(if trickle { 200 } else { 5000 }));
        let response = loop {
            match slow.response() {
                Some(response) => break response,
                None => assert!(trickle && asked.elapsed() < Duration::from_secs(4) && slow.send("x"), "no answer"),
            }
        };
        assert_eq!(response.status, 408);
        assert!(response.body.contains("invalid_request") && !response.header("x-request-id").is_empty());
        let elapsed = asked.elapsed();
        assert!((900..3000).contains(&elapsed.as_millis()), "{elapsed:?}");
    }
    for trickle in [false, true] {
        let mut slow = connect(&server);
        let asked = Instant::now();
        assert!(slow.send("POST /api/oauth/token HTTP/1.1\r\nHost: local"));
        if trickle {
            while slow.send("h") && asked.elapsed() < Duration::from_secs(6) {
                pause("it trickles", Duration::from_millis(150));
            }
        }
        assert!(slow.is_closed(), "trickle: {trickle}");
        assert!(asked.elapsed() < Duration::from_secs(5), "trickle: {trickle}: {:?}", asked.elapsed());
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn heads_and_bodies_are_bounded() {
    let server = start(&[]);
    let long = |length: usize| "x".repeat(length);
    let many: String = (0..99).map(|number| format!("X-{number}: 1\r\n")).collect();
    let chunked = format!(
        "POST /api/oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n4400\r\n{}\r\n0\r\n\r\n",
        long(0x4400)
    );
    for (what, request, expected) in [
        ("a field of 17 KiB", get("/healthz", &format!("X-Long: {}\r\n", long(17 * 1024))), 431),
        ("a hundred fields", get("/healthz", &many), 431),
        ("a target of 9 KiB", get(&format!("/{}", long(9 * 1024)), ""), 414),
        ("a body of 17 KiB", post("/api/oauth/token", &long(17 * 1024)), 413),
        ("a chunked body of 17 KiB", chunked, 413),
        ("a body of 16 KiB", post("/api/oauth/token", &format!("a={}", long(16 * 1024 - 2))), 401),
        ("a head of 15 KiB", get("/healthz", &format!("X-Long: {}\r\n", long(15 * 1024))), 200),
    ] {
        assert_eq!(ask(&server, &request).status, expected, "{what}");
    }
    // A head that never ends is cut off; whether a response still gets through is up to the network.
    let mut endless = connect(&server);
    endless.send("GET /healthz HTTP/1.1\r\nX-Long: ");
    let sent = (0..64).take_while(|_| endless.send(long(16 * 1024))).count();
    assert!(sent < 64 || endless.is_closed());
    // Nor is what is no HTTP at all a reason to fall over.
    for garbage in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let mut connection = connect(&server);
        connection.patience(Duration::from_secs(2));
        connection.send(garbage);
        if let Some(response) = connection.response() {
            assert!((400..600).contains(&response.status) && response.status != 500, "{garbage:?}: {response:?}");
        }
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn connections_are_bounded() {
    let server = start(&[("MAX_CONNECTIONS", "4"), ("WORKERS", "1")]);
    let mut held = Vec::new();
    let mut waiting = loop {
        let mut connection = connect(&server);
        assert!(connection.send(get("/healthz", "")));
        connection.patience(Duration::from_millis(700));
        match connection.response() {
            Some(response) => assert_eq!(response.status, 200),
            None => break connection,
        }
        held.push(connection);
        assert!(held.len() <= 5, "more than four at once");
    };
    assert!(held.len() >= 3, "{} at once", held.len());
    held.clear();
    waiting.patience(Duration::from_secs(5));
    assert_eq!(waiting.response().map(|response| response.status), Some(200), "who waited is served");
}

#[test]
fn connections_are_kept_and_requests_answered_in_their_order() {
    let server = start(&[]);
    let mut kept = connect(&server);
    for _ in 0..3 {
        assert!(kept.send(get("/healthz", "")));
        assert_eq!(kept.response().unwrap().status, 200);
    }
    assert!(kept.send(get("/healthz", "") + &get("/nothing", "") + &get("/.well-known/jwks.json", "")));
    let statuses: Vec<u16> = (0..3).map(|_| kept.response().unwrap().status).collect();
    assert_eq!(statuses, [200, 404, 200]);

    // HEAD is GET without the body, on every page that can be got.
    for path in ["/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/metrics"]
    {
        assert!(kept.send(get(path, "")));
        let got = kept.response().unwrap();
        assert!(kept.send(get(path, "").replacen("GET", "HEAD", 1)));
        let head = kept.response_to_head().unwrap();
        assert_eq!((head.status, head.header("content-type")), (got.status, got.header("content-type")), "{path}");
        if path != "/metrics" {
            assert_eq!(head.header("content-length"), got.header("content-length"), "{path}");
        }
    }
    assert!(kept.send(get("/healthz", "Connection: close\r\n")));
    assert_eq!(kept.response().unwrap().status, 200);
    assert!(kept.is_closed());
    let mut old = connect(&server);
    assert!(old.send("GET /healthz HTTP/1.0\r\n\r\n"));
    assert_eq!(old.response().unwrap().status, 200);
    assert!(old.is_closed());
}
