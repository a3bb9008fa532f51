//! Rows of callers who are not authenticated, and of requests that are out of bounds.

use super::*;

fn named(id: &str, secret: &str) -> TestClient {
    TestClient { id: id.to_owned(), secret: secret.to_owned() }
}

/// Who claims to be a client, and the true reason why it is refused.
fn impostors(clients: &Clients) -> Vec<(&'static str, TestClient, &'static str)> {
    let Clients { good, staging, disabled, expired, revoked, elsewhere, replaced, other } = clients;
    let (id, secret) = (good.id.as_str(), good.secret.as_str());
    vec![
        ("an unknown client", named(&format!("cli_{MARK}"), secret), "unknown_client"),
        (
            "an unknown client of the right form",
            named("cli_00000000000000000000000000000000", secret),
            "unknown_client",
        ),
        ("SQL as client", named("' OR 1=1 --", secret), "unknown_client"),
        ("no client", named("", secret), "unknown_client"),
        ("the client in capitals", named(&id.to_uppercase(), secret), "unknown_client"),
        ("a space behind the client", named(&format!("{id} "), secret), "unknown_client"),
        ("a wrong secret", named(id, "wrong"), "wrong_secret"),
        ("no secret", named(id, ""), "wrong_secret"),
        ("another client's secret", named(id, &other.secret), "wrong_secret"),
        ("the secret in small letters", named(id, &secret.to_lowercase()), "wrong_secret"),
        ("the secret cut", named(id, &secret[..secret.len() - 1]), "wrong_secret"),
        ("the secret and more", named(id, &format!("{secret}x")), "wrong_secret"),
        ("a secret that was replaced", replaced.clone(), "wrong_secret"),
        ("another environment's client", staging.clone(), "wrong_environment"),
        ("a disabled client", disabled.clone(), "client_disabled"),
        ("an expired client", expired.clone(), "client_expired"),
        ("a revoked client", revoked.clone(), "client_revoked"),
        ("a client tied to other addresses", elsewhere.clone(), "address_not_allowed"),
        ("a disabled client with a wrong secret", named(&disabled.id, "wrong"), "wrong_secret"),
        ("another environment's client with a wrong secret", named(&staging.id, "wrong"), "wrong_secret"),
    ]
}

/// Requests that do not even claim in a form that could be true.
fn unclaimed(good: &TestClient, endpoint: &str, body: &str) -> Vec<(&'static str, Sent)> {
    let (id, secret) = (good.id.as_str(), good.secret.as_str());
    vec![
        ("nobody", post(endpoint, body)),
        ("client_id alone", post(endpoint, format!("{body}&client_id={id}"))),
        ("client_secret alone", post(endpoint, format!("{body}&client_secret={secret}"))),
        ("an empty client_secret", post(endpoint, format!("{body}&client_id={id}&client_secret="))),
        ("an assertion", post(endpoint, format!("{body}&client_id={id}&client_assertion=x"))),
        ("Bearer", post(endpoint, body).field("authorization", "Bearer x")),
        ("Digest", post(endpoint, body).field("authorization", "Digest username=x")),
        ("an empty Authorization", post(endpoint, body).field("authorization", "")),
        ("a long client_id", post(endpoint, body).by(&named(&"c".repeat(300), secret))),
        ("a long secret", post(endpoint, body).by(&named(id, &"s".repeat(300)))),
    ]
}

/// RFC 6749 §5.2 `invalid_client`: who is not authenticated, at each endpoint that takes a secret; with the true
/// reason.
pub fn unauthenticated(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let mut rows: Vec<Row> = vec![];
    for (endpoint, body) in [(TOKEN, ASK), (INTROSPECT, "token=x"), (REVOKE, "token=x")] {
        let claimed = impostors(clients).into_iter();
        let claimed = claimed.map(|(name, impostor, reason)| (name, post(endpoint, body).by(&impostor), reason));
        let unclaimed = unclaimed(good, endpoint, body).into_iter().map(|(name, sent)| (name, sent, "invalid_client"));
        for (name, sent, reason) in claimed.chain(unclaimed) {
            rows.push((format!("{name} at {endpoint}"), sent, 401, "invalid_client", reason));
        }
    }
    for endpoint in [TOKEN, INTROSPECT, REVOKE].map(|path| format!("/staging{path}")) {
        let sent = post(&endpoint, format!("{ASK}&token=x")).by(good);
        rows.push((format!("a production client at {endpoint}"), sent, 401, "invalid_client", "wrong_environment"));
    }
    rows
}

/// RFC 9110 §15.5.5, §15.5.6, §15.5.14, §15.5.15, RFC 6585 §5, RFC 6749 §3.2: sizes, methods,
/// paths, transport.
pub fn out_of_bounds(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let mut rows = vec![];
    for endpoint in
        [TOKEN, INTROSPECT, REVOKE].into_iter().flat_map(|path| ["", "/staging"].map(|p| format!("{p}{path}")))
    {
        let mut row = |name: &str, sent: Sent, status, reason| {
            rows.push((format!("{name} at {endpoint}"), sent, status, "invalid_request", reason));
        };
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            row(method, post(&endpoint, "").with(method).by(good), 405, "method_not_allowed");
        }
        let body = [ASK, "&token=x&foo="].concat();
        let padded = |size: usize| format!("{body}{}", "a".repeat(size - body.len()));
        row("17 KiB", post(&endpoint, padded(17 * 1024)).by(good), 413, "invalid_request");
        row("16 KiB and a byte", post(&endpoint, padded(16 * 1024 + 1)).by(good), 413, "invalid_request");
        row("a large field", post(&endpoint, "").field("x-large", "a".repeat(17 * 1024)), 431, "head_too_large");
        let large = (0..60).fold(post(&endpoint, ""), |sent, _| sent.field("x-large", "a".repeat(300)));
        row("many large fields", large, 431, "head_too_large");
        let many = (0..90).fold(post(&endpoint, ""), |sent, _| sent.field("x-small", "a"));
        row("many fields", many, 431, "head_too_large");
        row("a long query", post(&format!("{endpoint}?{}", "a".repeat(9 * 1024)), ""), 414, "uri_too_long");
        row(
            "plain HTTP before the proxy",
            post(&endpoint, ASK).by(good).field("x-forwarded-proto", "http"),
            403,
            "tls_required",
        );
    }
    for path in ["/api/oauth/nothing", "/api/oauth/", "/api/oauth/token/", "/api/oauth/Token", "/test/api/oauth/token"]
    {
        rows.push((format!("POST {path}"), post(path, ASK).by(good), 404, "invalid_request", "not_found"));
        rows.push((format!("GET {path}"), post(path, "").with("GET"), 404, "invalid_request", "not_found"));
    }
    rows
}
