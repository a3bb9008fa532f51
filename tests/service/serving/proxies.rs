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

/// Probes do not speak TLS, and know nothing of proxies. Nothing else is served to them.
#[test]
fn health_and_readiness_are_served_by_plain_http_to_anybody() {
    let port = free_port();
    let settings = [("LISTEN", &*format!("0.0.0.0:{port}")), ("PUBLIC_URL", "https://auth.example.com")];
    let _server = start(&[&settings[..], &[("TRUSTED_PROXIES", "[\"127.0.0.1\"]")]].concat());
    let ask = |address: IpAddr, path: &str| {
        let mut connection = Connection::to((address, port).into());
        assert!(connection.send(get(path, "X-Forwarded-Proto: http\r\n")));
        connection.response().unwrap().status
    };
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    for address in [Some(loopback), own_address()].into_iter().flatten() {
        for (path, expected) in
            [("/healthz", 200), ("/readyz", 200), ("/healthz/x", 403), ("/metrics", 403), ("/docs", 403)]
        {
            assert_eq!(ask(address, path), expected, "{path} from {address}");
        }
    }
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

/// The address in the event of a token request with these fields.
fn recorded(server: &Server, client: &TestClient, fields: &[(&str, &[u8])]) -> (u16, String) {
    let mut request = server.http.post(format!("{}/api/oauth/token", server.url));
    request = request.basic_auth(&client.id, Some(&client.secret)).form(&[("grant_type", "client_credentials")]);
    for (name, value) in fields {
        request = request.header(*name, reqwest::header::HeaderValue::from_bytes(value).unwrap());
    }
    let response = server.send(request);
    let events = server.events(&["--request-id", response.header("x-request-id")]);
    (response.status, events[0]["address"].as_str().unwrap_or("unknown").to_owned())
}

/// SPEC §5: a field that cannot be read makes the address unknown, and no other field takes its place; `X-Real-IP`
/// counts only where the setting names it.
#[test]
fn one_field_says_who_calls_and_no_other_takes_its_place() {
    type Fields = &'static [(&'static str, &'static [u8])];
    const FOR: &str = "X-Forwarded-For";
    const REAL: &str = "X-Real-IP";
    let rows: [(Fields, &str, &str); 9] = [
        (&[], "127.0.0.1", "127.0.0.1"),
        (&[(FOR, b"198.51.100.9")], "198.51.100.9", "127.0.0.1"),
        (&[(REAL, b"198.51.100.9")], "127.0.0.1", "198.51.100.9"),
        (&[(FOR, b"203.0.113.5"), (REAL, b"198.51.100.9")], "203.0.113.5", "198.51.100.9"),
        (&[(FOR, b"junk\xff"), (REAL, b"198.51.100.9")], "unknown", "198.51.100.9"),
        (&[(FOR, b"203.0.113.5"), (REAL, b"\xff")], "203.0.113.5", "unknown"),
        (&[(FOR, b"junk\xff"), (FOR, b"198.51.100.9")], "unknown", "127.0.0.1"),
        (&[(FOR, b""), (REAL, b"198.51.100.9")], "unknown", "198.51.100.9"),
        (&[(FOR, b"198.51.100.9"), (REAL, b"198.51.100.9"), (REAL, b"198.51.100.9")], "198.51.100.9", "unknown"),
    ];
    let trusting = ("TRUSTED_PROXIES", "[\"127.0.0.1\"]");
    let by_default = start(&[trusting]);
    let by_real_ip = start(&[trusting, ("CLIENT_ADDRESS_HEADER", "X-Real-IP")]);
    for (server, column) in [(&by_default, 1), (&by_real_ip, 2)] {
        let client = server.client("orders:read");
        let fenced = server.client_with("orders:read", &["--allow-ip", "198.51.100.0/24", "--allow-ip", "127.0.0.1"]);
        for (fields, of_list, of_one) in rows {
            let expected = if column == 1 { of_list } else { of_one };
            assert_eq!(recorded(server, &client, fields), (200, expected.to_owned()), "{column}: {fields:?}");
            let passes = ["198.51.100.9", "127.0.0.1"].contains(&expected);
            assert_eq!(recorded(server, &fenced, fields).0, if passes { 200 } else { 401 }, "{column}: {fields:?}");
        }
    }
}

/// Apache as a plain proxy: `mod_proxy` appends the address to what the caller sent, byte for byte, and passes on every
/// other field.
struct Apache {
    port: u16,
    process: std::process::Child,
    _folder: tempfile::TempDir,
}

impl Apache {
    fn before(server: &Server) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let modules = ["mpm_event", "authz_core", "proxy", "proxy_http"]
            .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
        let rest = format!(
            "ServerName localhost\nDefaultRuntimeDir .\nPidFile httpd.pid\nErrorLog /dev/stderr\n\
             Listen 127.0.0.1:{port}\nProxyPass / {}/\n",
            server.url
        );
        let config = folder.path().join("httpd.conf");
        std::fs::write(&config, modules.concat() + &rest).unwrap();
        let process = programs::apache(folder.path(), &config).spawn().unwrap();
        eventually("Apache listens", Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, process, _folder: folder }
    }

    /// Asks for a token from 127.0.0.2, which is no proxy's address: the status, and the request's id.
    fn token(&self, client: &TestClient, fields: &[&[u8]]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["--silent", "--interface", "127.0.0.2", "--noproxy", "*", "--max-time", "30"]);
        command.args(["--output", "/dev/null", "--write-out", "%{http_code} %header{x-request-id}"]);
        command.args([
            "--user",
            &format!("{}:{}", client.id, client.secret),
            "--data",
            "grant_type=client_credentials",
        ]);
        for field in fields {
            command.arg("-H").arg(OsStr::from_bytes(field));
        }
        let output = run(command.arg(format!("http://127.0.0.1:{}/api/oauth/token", self.port)));
        let text = String::from_utf8(output.stdout).unwrap();
        let (status, id) = text.split_once(' ').unwrap();
        (status.parse().unwrap(), id.to_owned())
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // It ends its workers when it is asked to end, but not when it is killed.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

#[test]
fn behind_apache_no_caller_passes_for_another() {
    let server = start(&[("TRUSTED_PROXIES", "[\"127.0.0.1\"]")]);
    let apache = Apache::before(&server);
    let client = server.client("orders:read");
    let fenced = |address: &str| server.client_with("orders:read", &["--allow-ip", address]);
    let (claimed, own, of_proxy) = (fenced("198.51.100.9"), fenced("127.0.0.2"), fenced("127.0.0.1"));
    let rows: [(&[&[u8]], bool); 11] = [
        (&[], true),
        (&[b"X-Real-IP: 198.51.100.9"], true),
        (&[b"X-Forwarded-For: 198.51.100.9"], true),
        (&[b"X-Forwarded-For: junk", b"X-Real-IP: 198.51.100.9"], true),
        (&[b"X-Forwarded-For: ,", b"X-Real-IP: 198.51.100.9"], true),
        // A field that is named so belongs to the connection; the proxy's own must not go with the caller's.
        (&[b"Connection: X-Forwarded-For"], true),
        (&[b"Connection: close, X-Forwarded-For, X-Real-IP", b"X-Real-IP: 198.51.100.9"], true),
        (&[b"Connection: x-forwarded-for", b"X-Forwarded-For: 198.51.100.9"], true),
        // Unreadable means unknown: the caller is refused wherever addresses count.
        (&[b"X-Forwarded-For: \xff", b"X-Real-IP: 198.51.100.9"], false),
        (&[b"X-Forwarded-For: 198.51.100.9\xff", b"X-Real-IP: 198.51.100.9"], false),
        (&[b"X-Forwarded-For: \xff", b"X-Forwarded-For: 198.51.100.9"], false),
    ];
    for (fields, is_readable) in rows {
        let shown: Vec<_> = fields.iter().map(|field| String::from_utf8_lossy(field)).collect();
        let (status, id) = apache.token(&client, fields);
        assert_eq!(status, 200, "{shown:?}");
        let events = server.events(&["--request-id", &id]);
        assert_eq!(events[0]["address"].as_str(), is_readable.then_some("127.0.0.2"), "{shown:?}");
        assert_eq!(apache.token(&claimed, fields).0, 401, "{shown:?}");
        assert_eq!(apache.token(&of_proxy, fields).0, 401, "{shown:?}");
        assert_eq!(apache.token(&own, fields).0, if is_readable { 200 } else { 401 }, "{shown:?}");
    }
}
