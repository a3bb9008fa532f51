//! Proxies: what they say, and of whom it is believed.

use super::*;

/// An address of this machine that is not loopback, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Plain HTTP is served on loopback, behind trusted proxies that say `X-Forwarded-Proto: https`, or with
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
        connection.response().unwrap().status
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
        let response = connection.response().unwrap();
        assert_eq!(response.status, 403);
        assert!(response.body.contains("invalid_request") && !response.header("x-request-id").is_empty());
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
        let response = server.send(request);
        let events = server.events(&["--request-id", response.header("x-request-id")]);
        (response.status, events[0]["address"].as_str().unwrap_or("nobody").to_owned())
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
