//! TLS by certificate and key files.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use crate::database::{command_on, refusal};
use crate::support::{Database, Kind, Server, eventually, free_port, holds_within, pause};

/// Certificate and key files in a test's folder.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(database: &Database) -> Self {
        let at = |name| database.folder.path().join(name);
        Self { certificate: at("tls.crt"), key: at("tls.key") }
    }

    /// Writes a new pair, and gives its certificate.
    fn renew(&self) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        std::fs::write(&self.certificate, made.cert.pem()).unwrap();
        std::fs::write(&self.key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().to_vec()
    }

    fn settings(&self) -> [(&str, &str); 3] {
        let text = |path: &'_ PathBuf| -> &'static str { path.display().to_string().leak() };
        [
            ("TLS_CERTIFICATE", text(&self.certificate)),
            ("TLS_KEY", text(&self.key)),
            ("SIGNING_ALGORITHMS", "[\"ES256\"]"),
        ]
    }
}

/// Takes any certificate: which one came is what the tests look at.
#[derive(Debug)]
struct Any(rustls::crypto::CryptoProvider);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Server, protocols: &[&str]) -> Stream {
    let provider = aws_lc_rs::default_provider();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider.clone()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Any(provider)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let address: SocketAddr = server.url.split_once("://").unwrap().1.parse().unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream
}

/// The certificate that new connections get now.
fn served(server: &Server) -> Vec<u8> {
    connect(server, &[]).conn.peer_certificates().unwrap()[0].to_vec()
}

fn served_within(server: &Server, certificate: &[u8], patience: Duration) -> bool {
    holds_within(patience, || served(server) == certificate)
}

#[test]
fn https_is_served_in_both_versions_of_http() {
    let database = Database::new(Kind::Sqlite);
    let files = Files::new(&database);
    let certificate = files.renew();
    let server = Server::spawn_with(database, &files.settings());
    assert!(server.url.starts_with("https://"));
    assert_eq!(served(&server), certificate);
    let client = server.client("orders:read");
    assert_eq!(server.token(&client).status, 200);
    let metadata = server.get("/.well-known/oauth-authorization-server");
    assert_eq!(metadata.body["issuer"], server.url.as_str());

    let first = connect(&server, &["http/1.1"]);
    assert_eq!(first.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let second = connect(&server, &["h2", "http/1.1"]);
    assert_eq!(second.conn.alpn_protocol(), Some(&b"h2"[..]));
    let (status, body) = get_by_http2(second, "/healthz");
    assert_eq!((status, body.as_str()), (0x88, "{\"status\":\"ok\"}"), "0x88 stands for :status 200");

    // Plain HTTP on the same port gets nothing.
    let plain = server.http.get(server.url.replacen("https", "http", 1) + "/healthz").send();
    assert!(plain.is_err_and(|error| !error.is_timeout()));
}

/// One request as RFC 9113 and RFC 7541 have it: the first byte of the response's field block, and its body.
fn get_by_http2(mut stream: Stream, path: &str) -> (u8, String) {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    // :method GET and :scheme https by their numbers, :path and :authority in full.
    let mut fields = vec![0x82, 0x87, 0x04, u8::try_from(path.len()).unwrap()];
    fields.extend(path.bytes());
    fields.extend([0x01, 9]);
    fields.extend(b"localhost");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).unwrap();
    stream.write_all(&frame(1, 0x04 | 0x01, 1, &fields)).unwrap();
    stream.flush().unwrap();
    let (mut status, mut body) = (0, Vec::new());
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).unwrap();
        match (head[3], head[8]) {
            (0, 1) => body.extend(payload),
            // A change of the table's size may appear before the status.
            (1, 1) => status = payload.into_iter().find(|byte| byte & 0xe0 != 0x20).unwrap(),
            (3, 1) | (7, _) => panic!("the stream was refused"),
            _ => {}
        }
        if head[8] == 1 && head[3] <= 1 && head[4] & 0x01 != 0 {
            return (status, String::from_utf8(body).unwrap());
        }
    }
}

#[test]
fn a_certificate_that_is_replaced_is_served_from_then_on() {
    let database = Database::new(Kind::Sqlite);
    let files = Files::new(&database);
    let first = files.renew();
    let server = Server::spawn_with(database, &files.settings());
    assert_eq!(served(&server), first);
    let mut kept = connect(&server, &[]);

    // Its files changed.
    let second = files.renew();
    assert!(served_within(&server, &second, Duration::from_secs(3)));

    // What cannot be used keeps the one in use.
    let refused = || server.log().matches("TLS certificate not replaced").count();
    let hang_up = || {
        let before = refused();
        server.signal("HUP");
        eventually("the files are refused", Duration::from_secs(5), || refused() > before);
    };
    for (broken, path) in [("not a certificate", &files.certificate), ("", &files.key)] {
        std::fs::write(path, broken).unwrap();
        hang_up();
        assert_eq!(served(&server), second, "{broken:?} in {path:?}");
    }
    let foreign = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    files.renew();
    std::fs::write(&files.key, foreign.signing_key.serialize_pem()).unwrap();
    hang_up();
    assert_eq!(served(&server), second, "a key that is not the certificate's");
    assert!(server.log().matches("TLS certificate not replaced").count() >= 3, "{}", server.log());

    // Asked to, it reads files whose dates tell nothing.
    pause("the server looks at dates every two seconds", Duration::from_millis(2500));
    let dates = [&files.certificate, &files.key].map(|path| std::fs::metadata(path).unwrap().modified().unwrap());
    let third = files.renew();
    for (path, date) in [&files.certificate, &files.key].into_iter().zip(dates) {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(date).unwrap();
    }
    assert!(!served_within(&server, &third, Duration::from_millis(2500)), "the dates are the old ones");
    server.signal("HUP");
    assert!(served_within(&server, &third, Duration::from_secs(1)));

    // A connection that was made before continues.
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut response = [0; 15];
    kept.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 200 OK");
}

#[test]
fn a_pair_that_cannot_be_used_is_a_clear_error_at_the_start() {
    let database = Database::new(Kind::Sqlite);
    let files = Files::new(&database);
    let listen = format!("127.0.0.1:{}", free_port());
    let start = || {
        let mut settings = vec![("LISTEN", listen.as_str())];
        settings.extend(files.settings());
        refusal(command_on(&database, &settings, &["serve"]))
    };
    files.renew();
    let foreign = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.key, foreign.signing_key.serialize_pem()).unwrap();
    let said = start();
    assert!(said.contains("TLS") && said.to_lowercase().contains("key"), "{said}");
    std::fs::write(&files.certificate, "not a certificate").unwrap();
    let said = start();
    assert!(said.contains("tls.crt"), "{said}");
    files.renew();
    std::fs::write(&files.key, "").unwrap();
    let said = start();
    assert!(said.contains("tls.key"), "{said}");
    std::fs::remove_file(&files.key).unwrap();
    let said = start();
    assert!(said.contains("tls.key"), "{said}");
}
