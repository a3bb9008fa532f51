//! What an attacker can make of a genuine token and the public keys, without a private key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{base64url, parts};

/// A token, with what is wrong with it.
type Forgery = (&'static str, String);

/// All of them: by form and signature, by header, by claims.
pub fn forgeries(genuine: &str, keys: &[Value]) -> Vec<Forgery> {
    [by_form(genuine), by_header(genuine, keys), by_claims(genuine)].concat()
}

/// The three segments of a token.
fn segments(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn by_form(genuine: &str) -> Vec<Forgery> {
    let [header64, claims64, signature64] = segments(genuine);
    let signature = URL_SAFE_NO_PAD.decode(signature64).unwrap();
    let mut flipped = signature.clone();
    flipped[10] ^= 1;
    // The last character of a 64-byte signature carries four bits that must be zero: another spelling of the same
    // bytes.
    let mut spelled_otherwise = genuine.to_owned();
    let last = spelled_otherwise.pop().unwrap();
    spelled_otherwise.push(char::from(u8::try_from(last).unwrap() + 1));
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
    ]
}

fn by_header(genuine: &str, keys: &[Value]) -> Vec<Forgery> {
    let (header, _) = parts(genuine);
    let [_, claims64, signature64] = segments(genuine);
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let under = |header: Value| format!("{}.{claims64}.{signature64}", base64url(header.to_string()));
    let with_header = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let own = OwnKey::new();
    let own_signed = |header: Value| own.sign(&format!("{}.{claims64}", base64url(header.to_string())));
    let by_public_key = {
        let message = format!("{}.{claims64}", base64url(with_header("alg", json!("HS256")).to_string()));
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.to_string().as_bytes());
        format!("{message}.{}", base64url(aws_lc_rs::hmac::sign(&secret, message.as_bytes())))
    };
    vec![
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
        ("typ of another JWT", under(with_header("typ", json!("dpop+jwt")))),
    ]
}

/// Claims that the signature does not cover.
fn by_claims(genuine: &str) -> Vec<Forgery> {
    let (_, claims) = parts(genuine);
    let [header64, _, signature64] = segments(genuine);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        format!("{header64}.{}.{signature64}", base64url(claims.to_string()))
    };
    vec![
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
