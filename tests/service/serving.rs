//! How HTTP is served: stopping, bounds on size, time and number, proxies, request ids, the log, health and metrics.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::database::free_port;
use crate::durability::{jti_of, try_token};
use crate::support::raw::{Connection, RawAnswer};
use crate::support::{Database, Kind, Server, TestClient, both};

fn start(settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("SIGNING_ALGORITHMS", "[\"ES256\"]")];
    all.extend(settings);
    Server::spawn_with(Database::new(Kind::Sqlite), &all)
}

fn address(server: &Server) -> SocketAddr {
    server.url.split_once("://").unwrap().1.parse().unwrap()
}

fn connect(server: &Server) -> Connection {
    Connection::to(address(server))
}

/// One request on a connection of its own.
fn ask(server: &Server, request: &str) -> RawAnswer {
    let mut connection = connect(server);
    assert!(connection.send(request));
    connection.answer().unwrap_or_else(|| panic!("no answer to {request}"))
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

both! {
    /// A token whose event is stored was received: a stop answers what was accepted.
    fn a_stop_answers_what_was_accepted(database) {
        let mut server = Server::spawn_with(database, &[("SIGNING_ALGORITHMS", "[\"ES256\"]")]);
        let client = server.client_with("orders:read", &["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"]);
        let received = Mutex::new(HashSet::new());
        let stopping = AtomicBool::new(false);
        let mut asked = Instant::now();
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (server, client, received, stopping) = (&server, &client, &received, &stopping);
                scope.spawn(move || {
                    // Some keep their connection, some make a new one for every request.
                    let idle = if number % 2 == 0 { 10 } else { 0 };
                    let http = reqwest::blocking::Client::builder().no_proxy().pool_max_idle_per_host(idle).build().unwrap();
                    while let Some((status, answer)) = try_token(&http, &server.url, client) {
                        assert_eq!(status, 200, "{answer}");
                        received.lock().unwrap().insert(jti_of(&answer));
                    }
                    assert!(stopping.load(Ordering::SeqCst), "an answer was missing before the stop");
                });
            }
            let deadline = Instant::now() + Duration::from_secs(30);
            while received.lock().unwrap().len() < 100 && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            asked = Instant::now();
            stopping.store(true, Ordering::SeqCst);
            server.signal("TERM");
        });
        assert!(server.wait(), "{}", server.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
        let received = received.into_inner().unwrap();
        assert!(received.len() >= 100, "{}", received.len());
        let sql = "SELECT jti AS t FROM audit_log WHERE action = 'token.issue' AND outcome = 'success'";
        let unanswered: Vec<_> = server.database.texts(sql).into_iter().filter(|jti| !received.contains(jti)).collect();
        assert!(unanswered.is_empty(), "{} of {} were not answered", unanswered.len(), received.len());
        assert!(server.log().contains("stopped"));
    }
}

/// A connection that is kept for later does not hold up a stop, nor does a request that never comes to its end.
#[test]
fn a_stop_does_not_wait_for_idle_connections() {
    let mut server = start(&[]);
    let mut idle = connect(&server);
    assert!(idle.send(get("/healthz", "")));
    assert_eq!(idle.answer().unwrap().status, 200);
    let mut untouched = connect(&server);
    untouched.send("GET /heal");
    std::thread::sleep(Duration::from_millis(100));
    let asked = Instant::now();
    server.signal("TERM");
    assert!(server.wait());
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
}

/// A reload sends SIGHUP, also where there is no certificate to read again.
#[test]
fn a_hangup_does_not_end_a_server_without_tls() {
    let server = start(&[]);
    for _ in 0..2 {
        server.signal("HUP");
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(server.get("/healthz").status, 200);
    }
}

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
        let answer = loop {
            match slow.answer() {
                Some(answer) => break answer,
                None => assert!(trickle && asked.elapsed() < Duration::from_secs(4) && slow.send("x"), "no answer"),
            }
        };
        assert_eq!(answer.status, 408);
        assert!(answer.body.contains("invalid_request") && !answer.header("x-request-id").is_empty());
        let elapsed = asked.elapsed();
        assert!((900..3000).contains(&elapsed.as_millis()), "{elapsed:?}");
    }
    for trickle in [false, true] {
        let mut slow = connect(&server);
        let asked = Instant::now();
        assert!(slow.send("POST /api/oauth/token HTTP/1.1\r\nHost: local"));
        if trickle {
            while slow.send("h") && asked.elapsed() < Duration::from_secs(6) {
                std::thread::sleep(Duration::from_millis(150));
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
    // A head that never ends is cut off; whether an answer still gets through is up to the network.
    let mut endless = connect(&server);
    endless.send("GET /healthz HTTP/1.1\r\nX-Long: ");
    let sent = (0..64).take_while(|_| endless.send(long(16 * 1024))).count();
    assert!(sent < 64 || endless.is_closed());
    // Nor is what is no HTTP at all a reason to fall over.
    for garbage in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let mut connection = connect(&server);
        connection.patience(Duration::from_secs(2));
        connection.send(garbage);
        if let Some(answer) = connection.answer() {
            assert!((400..600).contains(&answer.status) && answer.status != 500, "{garbage:?}: {answer:?}");
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
        match connection.answer() {
            Some(answer) => assert_eq!(answer.status, 200),
            None => break connection,
        }
        held.push(connection);
        assert!(held.len() <= 5, "more than four at once");
    };
    assert!(held.len() >= 3, "{} at once", held.len());
    held.clear();
    waiting.patience(Duration::from_secs(5));
    assert_eq!(waiting.answer().map(|answer| answer.status), Some(200), "who waited is served");
}

#[test]
fn connections_are_kept_and_requests_answered_in_their_order() {
    let server = start(&[]);
    let mut kept = connect(&server);
    for _ in 0..3 {
        assert!(kept.send(get("/healthz", "")));
        assert_eq!(kept.answer().unwrap().status, 200);
    }
    assert!(kept.send(get("/healthz", "") + &get("/nothing", "") + &get("/.well-known/jwks.json", "")));
    let statuses: Vec<u16> = (0..3).map(|_| kept.answer().unwrap().status).collect();
    assert_eq!(statuses, [200, 404, 200]);

    // HEAD is GET without the body, on every page that can be got.
    for path in ["/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/metrics"]
    {
        assert!(kept.send(get(path, "")));
        let got = kept.answer().unwrap();
        assert!(kept.send(get(path, "").replacen("GET", "HEAD", 1)));
        let head = kept.answer_to_head().unwrap();
        assert_eq!((head.status, head.header("content-type")), (got.status, got.header("content-type")), "{path}");
        if path != "/metrics" {
            assert_eq!(head.header("content-length"), got.header("content-length"), "{path}");
        }
    }
    assert!(kept.send(get("/healthz", "Connection: close\r\n")));
    assert_eq!(kept.answer().unwrap().status, 200);
    assert!(kept.is_closed());
    let mut old = connect(&server);
    assert!(old.send("GET /healthz HTTP/1.0\r\n\r\n"));
    assert_eq!(old.answer().unwrap().status, 200);
    assert!(old.is_closed());
}

/// SPEC §8: every answer carries `X-Request-Id`, which the audit event and the log line carry too.
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
        let answer = ask(&server, request);
        assert_eq!(answer.status, *expected, "{}", request.lines().next().unwrap());
        ids.push(answer.header("x-request-id").to_owned());
    }
    let token = server.token(&client);
    ids.push(token.header("x-request-id").to_owned());
    // What a caller sends as an id is not taken over.
    let answer = ask(&server, &get("/healthz", "X-Request-Id: mine\r\n"));
    assert_ne!(answer.header("x-request-id"), "mine");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "ids recur: {ids:?}");
    // The raw answers' heads were made lower-case; so is the log here.
    std::thread::sleep(Duration::from_millis(200));
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

/// An address of this machine that is not loopback, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// SPEC §8: plain HTTP is served on loopback, behind trusted proxies that say `X-Forwarded-Proto: https`, or with
/// `allow_insecure_http`.
#[test]
fn plain_http_is_for_loopback_and_trusted_proxies() {
    let port = free_port();
    let listen = format!("0.0.0.0:{port}");
    let public = ("PUBLIC_URL", "https://auth.example.com");
    let proxied = start(&[("LISTEN", &listen), public, ("TRUSTED_PROXIES", "[\"127.0.0.1\"]")]);
    let from = |address: IpAddr, fields: &str| {
        let mut connection = Connection::to((address, port).into());
        assert!(connection.send(get("/.well-known/jwks.json", fields)));
        connection.answer().unwrap().status
    };
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    for (fields, expected) in [
        ("", 200),
        ("X-Forwarded-Proto: https\r\n", 200),
        ("X-Forwarded-Proto: HTTPS\r\n", 200),
        ("X-Forwarded-Proto: http\r\n", 403),
        ("X-Forwarded-Proto: https, http\r\n", 403),
        ("X-Forwarded-Proto: \r\n", 403),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n", 403),
        ("X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n", 403),
    ] {
        assert_eq!(from(loopback, fields), expected, "from a trusted proxy: {fields}");
    }
    if let Some(own) = own_address() {
        for fields in ["", "X-Forwarded-Proto: https\r\n"] {
            assert_eq!(from(own, fields), 403, "from {own}: {fields}");
        }
        // The protocol's endpoint says it in the protocol's words, before anything is read.
        let mut connection = Connection::to((own, port).into());
        assert!(connection.send(post("/api/oauth/token", "grant_type=client_credentials")));
        let answer = connection.answer().unwrap();
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains("invalid_request") && !answer.header("x-request-id").is_empty());
    }
    drop(proxied);

    let insecure = start(&[("LISTEN", &listen), public, ("ALLOW_INSECURE_HTTP", "true")]);
    assert_eq!(from(own_address().unwrap_or(loopback), ""), 200);
    drop(insecure);
}

/// `X-Forwarded-For` is believed from trusted proxies only; the address is the rightmost hop that is none.
#[test]
fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
    let address_in_event = |server: &Server, client: &TestClient, fields: &[(&str, &str)]| {
        let mut request = server.http.post(format!("{}/api/oauth/token", server.url));
        request = request.basic_auth(&client.id, Some(&client.secret)).form(&[("grant_type", "client_credentials")]);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let answer = server.send(request);
        let events = server.events(&["--request-id", answer.header("x-request-id")]);
        (answer.status, events[0]["address"].as_str().unwrap_or("nobody").to_owned())
    };
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[], "127.0.0.1"),
        (&[("X-Forwarded-For", "198.51.100.9")], "198.51.100.9"),
        (&[("X-Forwarded-For", "203.0.113.5, 198.51.100.9")], "198.51.100.9"),
        (&[("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-For", "198.51.100.9, 10.1.2.3")], "198.51.100.9"),
        (&[("X-Forwarded-For", "2001:db8::7")], "2001:db8::7"),
        (&[("X-Forwarded-For", "198.51.100.9:4711")], "198.51.100.9"),
        (&[("X-Forwarded-For", "junk")], "nobody"),
        (&[("Forwarded", "for=198.51.100.9")], "127.0.0.1"),
    ];
    let trusting = start(&[("TRUSTED_PROXIES", "[\"127.0.0.1\", \"10.0.0.0/8\"]")]);
    let client = trusting.client("orders:read");
    let fenced = trusting.client_with("orders:read", &["--allow-ip", "198.51.100.0/24"]);
    for (fields, expected) in rows {
        let address = address_in_event(&trusting, &client, fields);
        assert_eq!(address, (200, (*expected).to_owned()), "{fields:?}");
    }
    assert_eq!(address_in_event(&trusting, &fenced, &[("X-Forwarded-For", "198.51.100.9")]).0, 200);
    assert_eq!(address_in_event(&trusting, &fenced, &[("X-Forwarded-For", "198.51.100.9, 203.0.113.5")]).0, 401);
    let local = trusting.client_with("orders:read", &["--allow-ip", "127.0.0.0/8"]);
    assert_eq!(address_in_event(&trusting, &local, &[]).0, 200);
    assert_eq!(
        address_in_event(&trusting, &local, &[("X-Forwarded-For", "junk")]).0,
        401,
        "nobody is not the proxy itself"
    );
    drop(trusting);
    let trusting_nobody = start(&[]);
    let client = trusting_nobody.client("orders:read");
    let fenced = trusting_nobody.client_with("orders:read", &["--allow-ip", "198.51.100.0/24"]);
    for (fields, _) in rows {
        assert_eq!(address_in_event(&trusting_nobody, &client, fields), (200, "127.0.0.1".to_owned()), "{fields:?}");
    }
    assert_eq!(address_in_event(&trusting_nobody, &fenced, &[("X-Forwarded-For", "198.51.100.9")]).0, 401);
}

/// SPEC §7: `/metrics` answers loopback peers whose request carries no forwarding header, and `sealwright.metrics:read`.
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
