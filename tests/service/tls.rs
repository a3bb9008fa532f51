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
    try_connect(server, protocols).unwrap()
}

fn try_connect(server: &Server, protocols: &[&str]) -> std::io::Result<Stream> {
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
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// The certificate that new connections get now.
fn served(server: &Server) -> Vec<u8> {
    connect(server, &[]).conn.peer_certificates().unwrap()[0].to_vec()
}

fn served_within(server: &Server, certificate: &[u8], patience: Duration) -> bool {
    holds_within(patience, || served(server) == certificate)
}

#[test]
fn https_is_served_by_http_1_1_and_by_no_other_version() {
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

    // HTTP/2 is for gateways: whoever offers it, too, gets HTTP/1.1.
    for protocols in [&["http/1.1"][..], &["h2", "http/1.1"]] {
        let mut stream = connect(&server, protocols);
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]), "{protocols:?}");
        assert!(ask(&mut stream, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    }
    // Who offers nothing else is refused in the handshake.
    assert!(try_connect(&server, &["h2"]).is_err());
    // What HTTP/2 begins with is refused as any malformed head, with TLS and without.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    assert!(ask(&mut connect(&server, &[]), preface).starts_with("HTTP/1.1 400"));
    let plain = Server::spawn(Database::new(Kind::Sqlite));
    let mut socket = TcpStream::connect(plain.url.split_once("://").unwrap().1).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(ask(&mut socket, preface).starts_with("HTTP/1.1 400"));

    // Plain HTTP on the same port gets nothing.
    let plain = server.http.get(server.url.replacen("https", "http", 1) + "/healthz").send();
    assert!(plain.is_err_and(|error| !error.is_timeout()));
}

/// Sends `request`, and reads what comes first.
fn ask(stream: &mut (impl std::io::Read + std::io::Write), request: &[u8]) -> String {
    stream.write_all(request).unwrap();
    stream.flush().unwrap();
    let mut response = [0; 1024];
    let length = stream.read(&mut response).unwrap();
    String::from_utf8_lossy(&response[..length]).into_owned()
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
