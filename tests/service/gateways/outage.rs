//! Sealwright or the API is down, or something else answers in its place.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Api, Gateway, Site, Start, assert_refused, seconds};
use crate::support::raw::{read_head, response};
use crate::support::{eventually, pause};

fn while_sealwright_is_down_nobody_passes(gateway: Start) {
    let mut site = Site::start(gateway);
    let key = site.orders_key();
    assert_eq!(site.get("/orders", &key, &[]).status, 200);
    site.server.kill();
    for arguments in [&[][..], &["--data", "x"], &["-H", "X-Auth-Credential: key_1"]] {
        let response = site.get("/orders", &key, arguments);
        assert_refused(&response, 503);
        assert!(seconds(&response) > 0);
    }
    assert_eq!(site.gateway.get("/status", &[]).status, 200, "it needs nobody's word");
    site.server.restart();
    eventually("it asks again", Duration::from_secs(30), || site.get("/orders", &key, &[]).status == 200);
}

/// A process that is stopped still accepts connections. It is asked for five seconds, as the gateways' README says.
fn while_sealwright_hangs_callers_get_503_after_five_seconds(gateway: Start) {
    let (api, pretender) = (Api::start(), Pretender::start(vec!["hang".to_owned()]));
    let gateway = Gateway::start(gateway, &pretender.address, &api.address);
    let asked = Instant::now();
    let response = gateway.get("/orders", &["-H", "X-API-Key: 0"]);
    let elapsed = asked.elapsed();
    assert_refused(&response, 503);
    assert!(seconds(&response) > 0);
    assert!((4500..7500).contains(&elapsed.as_millis()), "{elapsed:?}");
}

fn an_api_that_is_down_is_not_a_refusal(gateway: Start) {
    let mut site = Site::start(gateway);
    let key = site.orders_key();
    site.api.child.kill().unwrap();
    site.api.child.wait().unwrap();
    let response = site.get("/orders", &key, &[]);
    assert_eq!((response.status, response.header("Retry-After")), (502, ""), "{}", response.text);
    assert_eq!(site.gateway.get("/status", &[]).status, 502);
}

/// Something on Sealwright's port that answers by what the key says: the number of one of these responses.
struct Pretender {
    address: String,
    /// Every request, with what came after its head.
    requests: Arc<Mutex<Vec<String>>>,
}

const IDENTITY: &str = "X-Auth-Subject: usr_1\r\nX-Auth-Credential: key_1\r\nX-Auth-Type: api_key\r\n\
    X-Auth-Scopes: orders:read\r\nX-Auth-Customer: \r\nX-Auth-Environment: production\r\nX-Request-Id: req_1";

impl Pretender {
    fn start(responses: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (mut connection, responses, kept) = (connection.unwrap(), responses.clone(), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let Some(head) = read_head(&mut connection) else { return };
                    connection.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                    let mut rest = Vec::new();
                    let _ = connection.read_to_end(&mut rest);
                    let request = head + &String::from_utf8_lossy(&rest);
                    let number: usize = field_of(&request, "x-api-key").parse().unwrap();
                    kept.lock().unwrap().push(request);
                    match responses[number].as_str() {
                        "hang" => pause("longer than a gateway waits", Duration::from_secs(20)),
                        "close" => {}
                        head => response(&mut connection, head, "{}"),
                    }
                });
            }
        });
        Self { address, requests }
    }
}

/// The value of a field in a request's head.
fn field_of<'a>(request: &'a str, name: &str) -> &'a str {
    let fields = request.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1.trim()).next().unwrap_or_default()
}

fn only_a_200_that_names_a_credential_lets_anybody_pass(gateway: Start) {
    let named = |status: &str| format!("{status}\r\n{IDENTITY}");
    let cases: Vec<(String, u16)> = vec![
        (named("200 OK"), 200),
        (named("201 Created"), 503),
        (named("202 Accepted"), 503),
        (named("204 No Content"), 503),
        (named("206 Partial Content"), 503),
        ("200 OK".to_owned(), 503),
        (named("200 OK").replace("key_1", ""), 503),
        (named("200 OK").replace("key_1", "anonymous"), 503),
        (named("302 Found\r\nLocation: http://127.0.0.1/"), 503),
        (named("304 Not Modified"), 503),
        (named("400 Bad Request"), 503),
        (named("404 Not Found"), 503),
        (named("407 Proxy Authentication Required"), 503),
        (named("500 Internal Server Error"), 503),
        (named("502 Bad Gateway"), 503),
        (named("nonsense"), 503),
        ("close".to_owned(), 503),
        ("hang".to_owned(), 503),
        (named("401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"it\""), 401),
        (named("403 Forbidden\r\nWWW-Authenticate: Bearer error=\"insufficient_scope\""), 403),
        (named("429 Too Many Requests\r\nRetry-After: 7"), 429),
        (named("503 Service Unavailable\r\nRetry-After: 9"), 503),
    ];
    let api = Api::start();
    let pretender = Pretender::start(cases.iter().map(|case| case.0.clone()).collect());
    let gateway = Gateway::start(gateway, &pretender.address, &api.address);
    for (number, (said, status)) in cases.iter().enumerate() {
        let key = format!("X-API-Key: {number}");
        let response = gateway.get("/orders", &["-H", &key, "-H", "X-Auth-Credential: key_evil"]);
        assert_eq!(response.status, *status, "{said}: {}", response.text);
        assert_eq!(response.body["headers"].is_array(), *status == 200, "{said}: {}", response.text);
        assert!(response.headers.get("Location").is_none(), "{said}");
        let retry_after = field_of(said, "Retry-After");
        if !retry_after.is_empty() {
            assert_eq!(response.header("Retry-After"), retry_after, "{said}");
        } else if *status == 503 {
            assert!(seconds(&response) > 0, "{said}");
        }
        if [401, 403].contains(status) {
            assert_eq!(response.header("WWW-Authenticate"), field_of(said, "WWW-Authenticate"), "{said}");
            assert_eq!(response.header("X-Request-Id"), "req_1", "{said}");
        }
    }
}

fn sealwright_gets_the_question_and_no_body(gateway: Start) {
    let (api, pretender) = (Api::start(), Pretender::start(vec![format!("200 OK\r\n{IDENTITY}")]));
    let gateway = Gateway::start(gateway, &pretender.address, &api.address);
    let body = "order".repeat(20_000);
    for more in [&[][..], &["-H", "Transfer-Encoding: chunked"], &["-H", "Expect: 100-continue"]] {
        let arguments = ["-X", "PUT", "-H", "X-API-Key: 0", "-H", "Cookie: session=1", "--data", &body];
        let response = gateway.get("/orders/1?a=b", &[&arguments[..], more].concat());
        assert_eq!((response.status, &response.body["body_bytes"]), (200, &body.len().into()), "{}", response.text);
        let request = pretender.requests.lock().unwrap().pop().unwrap();
        let line = "GET /api/v1/forward-auth?environment=production&scope=orders:write HTTP/1.1\r\n";
        assert!(request.starts_with(line), "{request}");
        assert!(request.ends_with("\r\n\r\n"), "nothing after its head: {request}");
        for (name, value) in [
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Method", "PUT"),
            ("X-Forwarded-Uri", "/orders/1?a=b"),
            ("Content-Length", ""),
            ("Transfer-Encoding", ""),
            ("Expect", ""),
            ("Cookie", ""),
        ] {
            assert_eq!(field_of(&request, name), value, "{name}: {request}");
        }
    }
}

super::for_each_gateway! {
    while_sealwright_is_down_nobody_passes
    while_sealwright_hangs_callers_get_503_after_five_seconds
    an_api_that_is_down_is_not_a_refusal
    only_a_200_that_names_a_credential_lets_anybody_pass
    sealwright_gets_the_question_and_no_body
}
