use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::crypto::signing::KeyPair;
use crate::domain::environment::Environment;
use crate::domain::signing_key::SigningKey;
use crate::domain::time::Timestamp;
use crate::domain::token::{AudClaim, Claims, CustomersClaim, TokenTyp, VerifiedClaims};

const ISSUER: &str = "https://auth.example";

struct Keys {
    kid: String,
    pair: KeyPair,
    verifier: TokenVerifier,
}

fn keys(algorithm: Algorithm) -> Keys {
    // Must run before jsonwebtoken is used: the first use settles the process's provider.
    install_provider();
    let pkcs8 = KeyPair::generate(algorithm).unwrap();
    let pair = KeyPair::parse(algorithm, &pkcs8).unwrap();
    let (kid, public_jwk) = pair.public_jwk();
    let at = Timestamp::from_seconds(0);
    let verifier = TokenVerifier::new(&SigningKey {
        kid: kid.as_str().into(),
        environment: Environment::Production,
        algorithm,
        generation: 1,
        public_jwk,
        created_at: at,
        activates_at: at,
        retires_at: None,
        destroyed_at: None,
    })
    .unwrap();
    Keys { kid, pair, verifier }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "a", "sub": "cli_1", "client_id": "cli_1", "exp": 2_000, "iat": 1_000,
           "jti": "tok_1", "scope": "read", "environment": "production"})
}

impl Keys {
    /// Signs any header and payload with the key.
    fn token(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()).unwrap());
        format!("{message}.{signature}")
    }

    fn header(&self) -> String {
        json!({"typ": "at+jwt", "alg": self.pair.algorithm().as_str(), "kid": self.kid}).to_string()
    }

    fn verify(&self, token: &str, now: i64) -> Result<VerifiedClaims, TokenError> {
        verify(token, ISSUER, Timestamp::from_seconds(now), |kid| (kid == self.kid).then_some(&self.verifier))
    }
}

#[test]
fn a_signed_token_verifies_in_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let mut keys = keys(algorithm);
        let own = keys.token(&keys.header(), &claims().to_string());
        assert_eq!(keys.verify(&own, 1_999).unwrap().jti, "tok_1");
        assert_eq!(keys.verify(&own, 2_000).unwrap_err(), TokenError::Expired, "at exp exactly");
        let other = self::keys(algorithm);
        let signer = TokenSigner::new(&keys.kid, std::mem::replace(&mut keys.pair, other.pair));
        let audiences = ["a".parse().unwrap(), "b".parse().unwrap()];
        let claims = Claims {
            iss: ISSUER,
            aud: AudClaim(&audiences),
            sub: "cli_1",
            client_id: "cli_1",
            exp: 2_000,
            iat: 1_000,
            jti: "tok_2",
            scope: "read",
            environment: "production",
            customers: CustomersClaim(&[]),
        };
        let [token, plain] = TokenTyp::ALL.map(|typ| signer.sign(typ, &claims).unwrap());
        assert_eq!(keys.verify(&plain, 1_500).unwrap().jti, "tok_2");
        assert_eq!(keys.verify(&token, 1_500).unwrap().aud, ["a", "b"]);
        assert_eq!(
            Keys { kid: other.kid, ..keys }.verify(&token, 1_500).unwrap_err(),
            TokenError::UnknownKey,
            "another key's token"
        );
    }
}

fn assert_refused(keys: &Keys, tokens: impl IntoIterator<Item = (&'static str, String)>) {
    for (name, token) in tokens {
        assert!(keys.verify(&token, 1_500).is_err(), "{name} was accepted");
    }
}

/// RFC 7515 §7.1, RFC 8725 §3.
#[test]
fn tokens_with_a_wrong_form_or_signature_are_refused() {
    let keys = keys(Algorithm::Es256);
    let good = keys.token(&keys.header(), &claims().to_string());
    assert!(keys.verify(&good, 1_500).is_ok());
    let (body, signature) = good.rsplit_once('.').unwrap();
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let tokens = [
        ("empty", String::new()),
        ("two segments", body.to_owned()),
        ("four segments", format!("{good}.x")),
        ("padding", format!("{good}=")),
        ("white space", format!(" {good}")),
        ("braces", "{}.{}.{}".to_owned()),
        ("a million dots", ".".repeat(1_000_000)),
        ("signature changed", format!("{body}.{}", URL_SAFE_NO_PAD.encode(&flipped))),
        ("signature of zeros", format!("{body}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("signature empty", format!("{body}.")),
        ("signature too short", format!("{body}.{}", URL_SAFE_NO_PAD.encode(&flipped[..63]))),
    ];
    assert_refused(&keys, tokens);
}

/// RFC 7515 §4.1.11 and §4, RFC 8725 and its revision.
#[test]
fn tokens_with_a_forged_or_odd_header_are_refused() {
    let keys = keys(Algorithm::Es256);
    let kid = &keys.kid;
    let headed = |header: String| keys.token(&header, &claims().to_string());
    let unsigned = |alg: &str| {
        let named = json!({"typ": "at+jwt", "alg": alg, "kid": kid}).to_string();
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(named), URL_SAFE_NO_PAD.encode(claims().to_string()))
    };
    assert!(keys.verify(&headed(keys.header()), 1_500).is_ok());
    let tokens = [
        ("alg none", unsigned("none")),
        ("alg noNE", unsigned("noNE")),
        ("alg es256", headed(json!({"typ": "at+jwt", "alg": "es256", "kid": kid}).to_string())),
        ("alg HS256", headed(json!({"typ": "at+jwt", "alg": "HS256", "kid": kid}).to_string())),
        ("alg RS256 with an EC key", headed(json!({"typ": "at+jwt", "alg": "RS256", "kid": kid}).to_string())),
        ("typ of another JWT", headed(json!({"typ": "logout+jwt", "alg": "ES256", "kid": kid}).to_string())),
        ("typ of a longer name", headed(json!({"typ": "at+jwtx", "alg": "ES256", "kid": kid}).to_string())),
        ("an empty typ", headed(json!({"typ": "", "alg": "ES256", "kid": kid}).to_string())),
        ("no typ", headed(json!({"alg": "ES256", "kid": kid}).to_string())),
        ("no kid", headed(json!({"typ": "at+jwt", "alg": "ES256"}).to_string())),
        ("hostile kid", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": "../../x' OR 1=1"}).to_string())),
        ("crit", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "crit": ["exp"]}).to_string())),
        ("empty crit", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "crit": []}).to_string())),
        ("jwk in the header", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "jwk": {}}).to_string())),
        ("alg twice", headed(format!(r#"{{"typ":"at+jwt","alg":"none","alg":"ES256","kid":"{kid}"}}"#))),
    ];
    assert_refused(&keys, tokens);
}

/// RFC 7515 §4, RFC 9068 §4.
#[test]
fn tokens_with_wrong_or_missing_claims_are_refused() {
    let keys = keys(Algorithm::Es256);
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        keys.token(&keys.header(), &claims.to_string())
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        keys.token(&keys.header(), &claims.to_string())
    };
    assert!(keys.verify(&with("scope", json!("read")), 1_500).is_ok());
    let payload_twice = claims().to_string().replacen('{', "{\"exp\":9999999999,", 1);
    let tokens = [
        ("exp twice", keys.token(&keys.header(), &payload_twice)),
        ("exp as text", with("exp", json!("2000"))),
        ("exp null", with("exp", Value::Null)),
        ("exp fractional", with("exp", json!(2000.5))),
        ("exp negative", with("exp", json!(-1))),
        ("exp 2^63", with("exp", json!(9_223_372_036_854_775_808_u64))),
        ("exp 1e400", keys.token(&keys.header(), &claims().to_string().replace("2000", "1e400"))),
        ("no exp", without("exp")),
        ("no iat", without("iat")),
        ("no aud", without("aud")),
        ("no sub", without("sub")),
        ("no jti", without("jti")),
        ("no client_id", without("client_id")),
        ("nbf ahead", with("nbf", json!(1_501))),
        ("nbf as text", with("nbf", json!("1"))),
        ("another issuer", with("iss", json!("https://evil.example"))),
        ("issuer as array", with("iss", json!([ISSUER]))),
        ("payload not JSON", keys.token(&keys.header(), "nonsense")),
        ("payload an array", keys.token(&keys.header(), "[]")),
    ];
    assert_refused(&keys, tokens);
}

#[test]
fn a_token_has_one_spelling() {
    let keys = keys(Algorithm::Es256);
    let good = keys.token(&keys.header(), &claims().to_string());
    let mut spellings = 0;
    // The last character of a 64-byte signature has two unused bits; only zero is canonical.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        let spelled = format!("{}{last}", &good[..good.len() - 1]);
        spellings += usize::from(keys.verify(&spelled, 1_500).is_ok());
    }
    assert_eq!(spellings, 1);
}

proptest! {
    #[test]
    fn any_text_is_refused(
        token in "\\PC{0,200}",
        segments in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){2}",
    ) {
        for text in [token, segments] {
            prop_assert!(verify(&text, ISSUER, Timestamp::from_seconds(0), |_| None).is_err());
        }
    }
}

#[test]
fn the_types_of_access_tokens_are_media_types_without_case() {
    for (typ, expected) in [
        ("at+jwt", true),
        ("AT+JWT", true),
        ("application/at+jwt", true),
        ("Application/At+Jwt", true),
        ("JWT", true),
        ("jwt", true),
        ("application/jwt", true),
        ("", false),
        ("at+jwt ", false),
        ("text/jwt", false),
        ("application/", false),
        ("application/application/jwt", false),
        ("statuslist+jwt", false),
    ] {
        assert_eq!(TokenTyp::is_of_access_token(typ), expected, "{typ:?}");
    }
}
