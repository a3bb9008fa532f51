//! The protocol below `/api/oauth` and `/.well-known`. Every test names the section of the standard that it proves.

mod authentication;
mod bad_input;
mod introspect;
mod jwks;
mod metadata;
mod revoke;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Database, Response, Server, TestClient};

const FORM: &str = "application/x-www-form-urlencoded";

/// The environments with the path of each issuer below the public URL.
const ENVIRONMENTS: [(&str, &str); 3] = [("production", ""), ("staging", "/staging"), ("development", "/development")];

/// A server in this process.
fn start(database: Database, settings: &[(&str, &str)]) -> Server {
    Server::start_with(database, settings)
}

/// A server as a process, for tests of its log.
fn spawn(database: Database, settings: &[(&str, &str)]) -> Server {
    Server::spawn_with(database, settings)
}

/// A client with further options of `client create`.
pub fn client(server: &Server, scopes: &str, options: &[&str]) -> TestClient {
    server.client_with(scopes, options)
}

/// `Authorization: Basic` as a client sends it whose id and secret need no encoding.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// Asks the issuer at `prefix` for a token that must be granted.
fn grant(server: &Server, prefix: &str, client: &TestClient, form: &[(&str, &str)]) -> Response {
    let form = [&[("grant_type", "client_credentials")], form].concat();
    let response = server.post_form(&format!("{prefix}/api/oauth/token"), client, &form);
    assert_eq!(response.status, 200, "{form:?}: {}", response.text);
    response
}

/// A token of production, granted without further wishes.
fn token(server: &Server, client: &TestClient) -> String {
    access_token(&grant(server, "", client, &[])).to_owned()
}

fn access_token(response: &Response) -> &str {
    response.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", response.text))
}

fn introspect(server: &Server, prefix: &str, client: &TestClient, token: &str) -> Response {
    server.post_form(&format!("{prefix}/api/oauth/introspect"), client, &[("token", token)])
}

fn revoke(server: &Server, prefix: &str, client: &TestClient, token: &str) -> Response {
    server.post_form(&format!("{prefix}/api/oauth/revoke"), client, &[("token", token)])
}

/// Whether `client` is told that `token` is in force; what is not in force gets the one answer, and nothing beside it.
fn is_active(server: &Server, client: &TestClient, token: &str) -> bool {
    let response = introspect(server, "", client, token);
    assert_eq!(response.status, 200, "{}", response.text);
    let is_active = response.body["active"].as_bool().unwrap();
    assert!(is_active || response.text == r#"{"active":false}"#, "{}", response.text);
    is_active
}

/// The header and the claims of a token, unverified.
fn parts(token: &str) -> (Value, Value) {
    let part = |at: usize| {
        let text = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

/// The public keys of the issuer at `prefix`.
fn published_keys(server: &Server, prefix: &str) -> Vec<Value> {
    server.get(&format!("{prefix}/.well-known/jwks.json")).body["keys"].as_array().unwrap().clone()
}

/// The claims of a token that verifies against `keys`, as any library would do it: the key is found by `kid`, and the
/// algorithm is the key's own (RFC 8725 §3.1).
fn verified(token: &str, keys: &[Value]) -> Option<Value> {
    let (header, _) = parts(token);
    let key = keys.iter().find(|key| key["kid"] == header["kid"])?;
    let algorithm = key["alg"].as_str()?.parse().ok()?;
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).ok()?).ok()?;
    jsonwebtoken::decode(token, &key, &validation).ok().map(|decoded| decoded.claims)
}

/// The names of an object's members, in order.
fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn base64url(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// What an attacker can make of a genuine token and the public keys, without a private key.
fn forgeries(genuine: &str, keys: &[Value]) -> Vec<(&'static str, String)> {
    let (header, claims) = parts(genuine);
    let kid = header["kid"].as_str().unwrap();
    let key = keys.iter().find(|key| key["kid"] == kid).unwrap();
    let segments: Vec<&str> = genuine.split('.').collect();
    let (header64, claims64, signature64) = (segments[0], segments[1], segments[2]);
    let signature = URL_SAFE_NO_PAD.decode(signature64).unwrap();
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        format!("{header64}.{}.{signature64}", base64url(claims.to_string()))
    };
    let under = |header: Value| format!("{}.{claims64}.{signature64}", base64url(header.to_string()));
    let with_header = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let own = OwnKey::new();
    let own_signed = |header: Value| own.sign(&format!("{}.{claims64}", base64url(header.to_string())));
    let mut flipped = signature.clone();
    flipped[10] ^= 1;
    // The last character of a 64-byte signature carries four bits that must be zero: another spelling of the same
    // bytes.
    let mut spelled_otherwise = genuine.to_owned();
    let last = spelled_otherwise.pop().unwrap();
    spelled_otherwise.push(char::from(u8::try_from(last).unwrap() + 1));
    let by_public_key = {
        let message = format!("{}.{claims64}", base64url(with_header("alg", json!("HS256")).to_string()));
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.to_string().as_bytes());
        format!("{message}.{}", base64url(aws_lc_rs::hmac::sign(&secret, message.as_bytes())))
    };
    vec![
        // RFC 7515 §5.2, RFC 8725 §3: the form.
        ("one letter", "x".to_owned()),
        ("braces", "{}.{}.{}".to_owned()),
        ("two segments", format!("{header64}.{claims64}")),
        ("four segments", format!("{genuine}.{signature64}")),
        ("thousands of dots", ".".repeat(8000)),
        ("padding", format!("{genuine}=")),
        ("other trailing bits", spelled_otherwise),
        ("cut to 80 characters", genuine[..80].to_owned()),
        ("the last character missing", genuine[..genuine.len() - 1].to_owned()),
        ("white space around it", format!(" {genuine} ")),
        // RFC 7515 §8, CVE-2022-21449: the signature.
        ("no signature", format!("{header64}.{claims64}.")),
        ("a bit of the signature flipped", format!("{header64}.{claims64}.{}", base64url(&flipped))),
        ("a signature of zeros", format!("{header64}.{claims64}.{}", base64url([0; 64]))),
        ("a signature of another length", format!("{header64}.{claims64}.{}", base64url(&signature[..63]))),
        // RFC 8725 §3.1: the algorithm.
        ("alg none", format!("{}.{claims64}.", base64url(with_header("alg", json!("none")).to_string()))),
        ("alg noNE", format!("{}.{claims64}.", base64url(with_header("alg", json!("noNE")).to_string()))),
        ("alg es256", under(with_header("alg", json!("es256")))),
        ("alg HS256 with the public key", by_public_key),
        ("alg of another key", under(with_header("alg", json!("RS256")))),
        ("an array as alg", under(with_header("alg", json!(["ES256"])))),
        // RFC 7515 §4.1: keys and extensions named by the token itself.
        ("another key under our kid", own_signed(header.clone())),
        ("its own key as jwk", own_signed(with_header("jwk", own.jwk()))),
        ("its own key at jku", own_signed(with_header("jku", json!("https://attacker.example/jwks.json")))),
        ("an unknown crit", own_signed(with_header("crit", json!(["exp"])))),
        ("an unknown kid", under(with_header("kid", json!("nothing")))),
        ("a hostile kid", under(with_header("kid", json!("../../etc/passwd' OR 1=1 --")))),
        ("a long kid", under(with_header("kid", json!("k".repeat(4000))))),
        ("no kid", under(json!({"typ": "at+jwt", "alg": header["alg"]}))),
        // RFC 9068 §4: the type.
        ("typ JWT", under(with_header("typ", json!("JWT")))),
        // Claims that the signature does not cover.
        ("a later exp", changed("exp", json!(4_102_444_800_i64))),
        ("exp as a text", changed("exp", json!("4102444800"))),
        ("a wider scope", changed("scope", json!("sealwright.admin"))),
        ("another client", changed("client_id", json!("cli_00000000000000000000000000000000"))),
    ]
}

/// A key pair of the attacker's own.
struct OwnKey(aws_lc_rs::signature::EcdsaKeyPair);

impl OwnKey {
    fn new() -> Self {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn sign(&self, message: &str) -> String {
        let random = aws_lc_rs::rand::SystemRandom::new();
        format!("{message}.{}", base64url(self.0.sign(&random, message.as_bytes()).unwrap()))
    }

    fn jwk(&self) -> Value {
        use aws_lc_rs::signature::KeyPair as _;
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
    }
}

/// No stretch of twelve characters of any secret stands in `text`.
fn assert_tells_nothing_of(secrets: &[String], place: &str, text: &str) {
    for secret in secrets {
        let characters: Vec<char> = secret.chars().collect();
        for part in characters.windows(12) {
            let part: String = part.iter().collect();
            assert!(!text.contains(&part), "{place} has a part of a secret or token: {part}");
        }
    }
}
