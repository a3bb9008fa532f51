//! JWS compact serialisation through jsonwebtoken, signing with parsed keys and verifying strictly.
//!
//! jsonwebtoken asks a process-wide provider for a signer at each call and hands it the key's bytes. Ours keeps parsed key
//! pairs in a table, and the "key" that jsonwebtoken carries is the number of a place in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, aws_lc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use parking_lot::RwLock;
use serde::Deserialize;

use super::CryptoError;
use super::signing::KeyPair;
use crate::domain::signing_key::{Algorithm, SigningKey};
use crate::domain::time::Timestamp;
use crate::domain::token::{Claims, VerifiedClaims};

/// Longest token that is looked at.
const TOKEN_MAX: usize = 8192;

static PARSED: LazyLock<RwLock<HashMap<u64, Arc<KeyPair>>>> = LazyLock::new(RwLock::default);

static PROVIDER: LazyLock<CryptoProvider> =
    LazyLock::new(|| CryptoProvider { signer_factory: parsed_signer, ..aws_lc::DEFAULT_PROVIDER.clone() });

/// Makes jsonwebtoken sign with parsed keys; once, at the start of the process. A second call changes nothing.
pub fn install_provider() {
    let _already = PROVIDER.install_default();
}

struct ParsedSigner(Arc<KeyPair>);

impl signature::Signer<Vec<u8>> for ParsedSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(message).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for ParsedSigner {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jws_algorithm(self.0.algorithm())
    }
}

// The factory's type is jsonwebtoken's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn parsed_signer(
    algorithm: &jsonwebtoken::Algorithm,
    key: &EncodingKey,
) -> jsonwebtoken::errors::Result<Box<dyn JwtSigner>> {
    let place = key.as_bytes().try_into().ok().map(u64::from_be_bytes);
    match place.and_then(|place| PARSED.read().get(&place).cloned()) {
        Some(pair) if jws_algorithm(pair.algorithm()) == *algorithm => Ok(Box::new(ParsedSigner(pair))),
        Some(_) => Err(jsonwebtoken::errors::new_error(jsonwebtoken::errors::ErrorKind::InvalidAlgorithm)),
        None => (aws_lc::DEFAULT_PROVIDER.signer_factory)(algorithm, key),
    }
}

const fn jws_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}

/// A key that signs access tokens. Its parsed pair leaves the process's table when the last owner drops it.
pub struct TokenSigner {
    place: u64,
    key: EncodingKey,
    header: Header,
}

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenSigner({:?})", self.header.kid)
    }
}

impl TokenSigner {
    /// A signer with `pair`, whose tokens name `kid` (RFC 9068 §2.1: `typ` is `at+jwt`).
    pub fn new(kid: &str, pair: KeyPair) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let place = NEXT.fetch_add(1, Ordering::Relaxed);
        let algorithm = pair.algorithm();
        let bytes = place.to_be_bytes();
        let key = match algorithm {
            Algorithm::Es256 => EncodingKey::from_ec_der(&bytes),
            Algorithm::Rs256 => EncodingKey::from_rsa_der(&bytes),
            Algorithm::EdDsa => EncodingKey::from_ed_der(&bytes),
        };
        let mut header = Header::new(jws_algorithm(algorithm));
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid.to_owned());
        PARSED.write().insert(place, Arc::new(pair));
        Self { place, key, header }
    }

    /// The signed token.
    ///
    /// # Errors
    /// The library cannot sign.
    pub fn sign(&self, claims: &Claims<'_>) -> Result<String, CryptoError> {
        jsonwebtoken::encode(&self.header, claims, &self.key).map_err(|_| CryptoError)
    }
}

impl Drop for TokenSigner {
    fn drop(&mut self) {
        PARSED.write().remove(&self.place);
    }
}

/// A key that verifies access tokens, of one algorithm only.
pub struct TokenVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenVerifier({})", self.algorithm)
    }
}

impl TokenVerifier {
    /// A verifier with the public half of `key`.
    ///
    /// # Errors
    /// The stored JWK is damaged.
    pub fn new(key: &SigningKey) -> Result<Self, CryptoError> {
        let jwk: Jwk = serde_json::from_value(key.public_jwk.clone()).map_err(|_| CryptoError)?;
        let mut validation = Validation::new(jws_algorithm(key.algorithm));
        // Dates and audiences are checked below and by the callers, with the time as an argument.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(Self { algorithm: key.algorithm, key: DecodingKey::from_jwk(&jwk).map_err(|_| CryptoError)?, validation })
    }
}

/// Why a token is not one of ours in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT as we make them.
    #[error("malformed token")]
    Malformed,
    /// No published key of this environment has its `kid`, or its `alg` is not that key's.
    #[error("unknown key")]
    UnknownKey,
    /// The signature, or what it covers, is wrong.
    #[error("bad signature")]
    BadSignature,
    /// Of another issuer.
    #[error("wrong issuer")]
    WrongIssuer,
    /// Its time is over, or not come yet.
    #[error("expired token")]
    Expired,
}

/// Our own headers have these members and no other; an unknown one (`crit`, `jwk`, `jku`, …) is not ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

/// Verifies `token` against the keys of one environment (RFC 9068 §4, RFC 8725): form, header, signature by the one key
/// that `kid` names with that key's one algorithm, `typ`, `iss`, `exp` and `nbf`. There is no leeway: we made its dates.
///
/// # Errors
/// Why it is refused.
pub fn verify<'k>(
    token: &str,
    issuer: &str,
    now: Timestamp,
    key: impl FnOnce(&str) -> Option<&'k TokenVerifier>,
) -> Result<VerifiedClaims, TokenError> {
    use base64::Engine as _;
    let canonical = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.';
    if token.len() > TOKEN_MAX || !token.bytes().all(canonical) || token.bytes().filter(|b| *b == b'.').count() != 2 {
        return Err(TokenError::Malformed);
    }
    let header = token.split('.').next().unwrap_or_default();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenError::Malformed)?;
    let header: StrictHeader = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
    if !header.typ.eq_ignore_ascii_case("at+jwt") && !header.typ.eq_ignore_ascii_case("application/at+jwt") {
        return Err(TokenError::Malformed);
    }
    let verifier = key(&header.kid).ok_or(TokenError::UnknownKey)?;
    if header.alg != verifier.algorithm.as_str() {
        return Err(TokenError::UnknownKey);
    }
    let claims: VerifiedClaims =
        jsonwebtoken::decode(token, &verifier.key, &verifier.validation).map_err(|_| TokenError::BadSignature)?.claims;
    if claims.iss != issuer {
        return Err(TokenError::WrongIssuer);
    }
    let seconds = now.seconds();
    if claims.exp <= seconds || claims.nbf.is_some_and(|nbf| nbf > seconds) {
        return Err(TokenError::Expired);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::environment::Environment;
    use crate::domain::token::{AudClaim, CustomersClaim};

    const ISSUER: &str = "https://auth.example";

    struct Keys {
        kid: String,
        pair: KeyPair,
        verifier: TokenVerifier,
    }

    fn keys(algorithm: Algorithm) -> Keys {
        // Before jsonwebtoken is used at all: the first use settles the process's provider.
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
        /// A token signed by the true key, whatever its header and payload say.
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
            let token = signer
                .sign(&Claims {
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
                })
                .unwrap();
            assert_eq!(keys.verify(&token, 1_500).unwrap().aud, ["a", "b"]);
            assert_eq!(
                Keys { kid: other.kid, ..keys }.verify(&token, 1_500).unwrap_err(),
                TokenError::UnknownKey,
                "another key's token"
            );
        }
    }

    /// RFC 7515 §4.1.11 and §4, RFC 8725 and its revision, RFC 9068 §4.
    #[test]
    fn forged_and_odd_tokens_are_refused() {
        let keys = keys(Algorithm::Es256);
        let kid = &keys.kid;
        let good = keys.token(&keys.header(), &claims().to_string());
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
        let headed = |header: String| keys.token(&header, &claims().to_string());
        let unsigned = |alg: &str| {
            let named = json!({"typ": "at+jwt", "alg": alg, "kid": kid}).to_string();
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(named), URL_SAFE_NO_PAD.encode(claims().to_string()))
        };
        let (body, signature) = good.rsplit_once('.').unwrap();
        let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
        flipped[0] ^= 1;
        let payload_twice = claims().to_string().replacen('{', "{\"exp\":9999999999,", 1);
        let table: Vec<(&str, String)> = vec![
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
            ("alg none", unsigned("none")),
            ("alg noNE", unsigned("noNE")),
            ("alg es256", headed(json!({"typ": "at+jwt", "alg": "es256", "kid": kid}).to_string())),
            ("alg HS256", headed(json!({"typ": "at+jwt", "alg": "HS256", "kid": kid}).to_string())),
            ("alg RS256 with an EC key", headed(json!({"typ": "at+jwt", "alg": "RS256", "kid": kid}).to_string())),
            ("typ JWT", headed(json!({"typ": "JWT", "alg": "ES256", "kid": kid}).to_string())),
            ("no typ", headed(json!({"alg": "ES256", "kid": kid}).to_string())),
            ("no kid", headed(json!({"typ": "at+jwt", "alg": "ES256"}).to_string())),
            ("hostile kid", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": "../../x' OR 1=1"}).to_string())),
            ("crit", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "crit": ["exp"]}).to_string())),
            ("empty crit", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "crit": []}).to_string())),
            ("jwk in the header", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "jwk": {}}).to_string())),
            ("alg twice", headed(format!(r#"{{"typ":"at+jwt","alg":"none","alg":"ES256","kid":"{kid}"}}"#))),
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
        assert!(keys.verify(&good, 1_500).is_ok());
        for (name, token) in table {
            assert!(keys.verify(&token, 1_500).is_err(), "{name} was accepted");
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        let keys = keys(Algorithm::Es256);
        let good = keys.token(&keys.header(), &claims().to_string());
        let mut spellings = 0;
        // The last character of a 64-byte signature carries two bits that mean nothing; only zero is canonical.
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            let spelled = format!("{}{last}", &good[..good.len() - 1]);
            spellings += usize::from(keys.verify(&spelled, 1_500).is_ok());
        }
        assert_eq!(spellings, 1);
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(token in "\\PC{0,200}", segments in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
            for text in [token, segments] {
                prop_assert!(verify(&text, ISSUER, Timestamp::from_seconds(0), |_| None).is_err());
            }
        }
    }
}
