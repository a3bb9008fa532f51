//! What is no well-formed HTTP, and what comes too slowly.

use super::*;

/// Sends bytes as they are, and reads all that is answered.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // Who is refused early may find the connection closed while it still sends.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut response = vec![];
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

both! {
    /// A body of just 16 KiB is within bounds.
    fn a_body_of_16_kib_is_taken(database) {
        let server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        let body = format!("{ASK}&foo={}", "a".repeat(16 * 1024 - ASK.len() - 5));
        assert_eq!(body.len(), 16 * 1024);
        assert_eq!(ask(body).by(&client).send(&server, "").status, 200);
    }
}

/// Where the framing breaks within a body, the connection may just end.
const CLOSED: u16 = 0;

/// What is sent, and the statuses that it may get.
fn malformed(client: &TestClient) -> Vec<(&'static str, String, &'static [u16])> {
    let authorization = basic(&client.id, &client.secret);
    let head =
        format!("POST {TOKEN} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Type: {FORM}\r\n");
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let fields = |count: usize| (0..count).map(|n| format!("x-{n}: a\r\n")).collect::<Vec<_>>().concat();
    vec![
        ("no HTTP", "garbage\r\n\r\n".into(), &[400]),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\r\n\r\n".into(), &[400]),
        ("another version", format!("GET {TOKEN} HTTP/9.9\r\n\r\n"), &[400]),
        ("a space in the path", format!("GET {TOKEN} x HTTP/1.1\r\n\r\n"), &[400]),
        ("a length that is no number", format!("{head}Content-Length: abc\r\n\r\n"), &[400]),
        ("a negative length", format!("{head}Content-Length: -1\r\n\r\n"), &[400]),
        ("a length with a sign", format!("{head}Content-Length: +5\r\n\r\n{ASK}{smuggled}"), &[400]),
        ("a length beyond 64 bits", format!("{head}Content-Length: 99999999999999999999\r\n\r\n"), &[400]),
        ("two lengths", format!("{head}Content-Length: 29\r\nContent-Length: 5\r\n\r\n{ASK}{smuggled}"), &[400]),
        (
            "length and chunks",
            format!("{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
            &[400],
        ),
        ("an unknown coding", format!("{head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"), &[400]),
        ("chunks twice", format!("{head}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n{smuggled}"), &[400]),
        (
            "a chunk size that is none",
            format!("{head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{smuggled}"),
            &[400, CLOSED],
        ),
        (
            "a chunk size beyond 64 bits",
            format!("{head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
            &[400, CLOSED],
        ),
        ("a space before the colon", format!("{head}X : y\r\n\r\n"), &[400]),
        ("a zero byte in a field", format!("{head}X: a\0b\r\n\r\n"), &[400]),
        ("a field without name", format!("{head}: b\r\n\r\n"), &[400]),
        ("a hundred fields", format!("{head}{}\r\n", fields(100)), &[431]),
        ("two hundred fields", format!("{head}{}\r\n", fields(200)), &[431]),
        ("a head of 200 KiB", format!("{head}X: {}\r\n\r\n", "a".repeat(200 * 1024)), &[431]),
        ("a body that does not come", format!("{head}Content-Length: 100\r\n\r\n{ASK}"), &[400, 408]),
    ]
}

/// RFC 9112 §2.2, §6.1, §6.3, §7.1, §11.2: what is not well-formed HTTP is refused on the
/// connection, nothing behind it is taken for a second request, and the server continues.
#[test]
fn malformed_http_is_refused_and_smuggles_nothing() {
    let server = spawn(Database::new(Kind::Sqlite), &[("REQUEST_TIMEOUT", "1s")]);
    let client = client(&server, "orders:read", &[]);
    for (name, sent, statuses) in malformed(&client) {
        let response = raw(&server, sent.as_bytes());
        let status: u16 = response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(CLOSED);
        assert!(statuses.contains(&status), "{name}: {response}");
        assert_eq!(response.matches("HTTP/1.1 ").count(), usize::from(status != CLOSED), "{name}: {response}");
        assert!(!response.contains("<html"), "{name}: {response}");
        assert!(!response.contains("access_token"), "{name}: {response}");
    }
    assert_eq!(server.token(&client).status, 200);
    assert!(!server.log().contains("panicked"));
}

/// RFC 9110 §15.5.9: a body that comes too slowly is given up, with a response and an audit event.
#[test]
fn a_body_that_comes_too_slowly_is_given_up() {
    let server = start(Database::new(Kind::Sqlite), &[("REQUEST_TIMEOUT", "1s")]);
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = format!("POST {TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {FORM}\r\n");
    stream.write_all(format!("{head}Content-Length: 100\r\n\r\ngrant_").as_bytes()).unwrap();
    let mut response = vec![0; 4096];
    let length = stream.read(&mut response).unwrap();
    let response = String::from_utf8_lossy(&response[..length]);
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    let (_, id) = response.split_once("x-request-id: ").unwrap();
    let events = server.events(&["--request-id", id.split('\r').next().unwrap()]);
    assert_eq!((&events[0]["reason"], &events[0]["status"]), (&"invalid_request".into(), &408.into()));
}
