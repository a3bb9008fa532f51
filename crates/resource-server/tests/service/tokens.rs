//! Tokens, good and forged.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Sealwright, base64url, call, get, read, service, start};

#[actix_web::test]
async fn a_good_token_names_its_caller() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    let response = call(&service, &sealwright.token()).await;
    assert_eq!(response.status, 200);
    let expected = json!({
        "credential": "cli_1", "kind": "token", "scopes": ["orders:read", "stock:read"], "customers": ["acme"],
        "owner": null, "environment": "production", "token_id": "tok_1",
    });
    assert_eq!(response.body, expected);

    // These may differ.
    let with = |name: &str, value: Value| {
        let (header, mut claims) = sealwright.good();
        claims[name] = value;
        sealwright.sign(&header, &claims)
    };
    let typed = |typ: &str| {
        let (mut header, claims) = sealwright.good();
        header.typ = Some(typ.to_owned());
        sealwright.sign(&header, &claims)
    };
    for (name, token) in [
        ("several audiences", with("aud", json!(["https://other.example", "https://api.example.com"]))),
        ("a level", with("scope", json!("read"))),
        ("admin", with("scope", json!("admin"))),
        ("a wildcard", with("scope", json!("orders:*"))),
        ("unknown claims", with("cnf", json!({"jkt": "x"}))),
        ("typ in capitals", typed("AT+JWT")),
        ("the whole media type", typed("application/at+jwt")),
        ("the plain type", typed("JWT")),
    ] {
        assert_eq!(call(&service, &token).await.status, 200, "{name}");
    }
    assert_eq!(sealwright.key_fetches(), 1);
}

/// Creates tokens that differ from a good one in one respect.
struct Forger<'s> {
    sealwright: &'s Sealwright,
    header: Header,
    claims: Value,
}

type Named = (&'static str, String);

/// A header that names an algorithm.
fn naming(alg: &str) -> Value {
    json!({"typ": "at+jwt", "alg": alg, "kid": "key"})
}

impl Forger<'_> {
    fn headed(&self, header: &Value) -> String {
        self.sealwright.sign_text(&header.to_string(), &self.claims.to_string())
    }

    fn claiming(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.sealwright.sign(&self.header, &claims)
    }

    fn texts(&self) -> Vec<Named> {
        let sealwright = self.sealwright;
        let good = sealwright.token();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let turned: String = signature.chars().rev().collect();
        let header = naming("ES256").to_string();
        let twice = self.claims.to_string().replacen('{', "{\"exp\":9999999999,", 1);
        vec![
            ("two parts", message.to_owned()),
            ("four parts", format!("{good}.x")),
            ("dots", "...........".to_owned()),
            ("padding", format!("{good}=")),
            ("another signature", format!("{message}.{turned}")),
            ("no signature", format!("{message}.")),
            ("a signature of zeros", format!("{message}.{}", base64url(&[0; 64]))),
            ("a short signature", format!("{message}.{}", base64url(&[7; 63]))),
            ("another's key by the same name", Sealwright::start().sign(&self.header, &self.claims)),
            ("too long", self.claiming("padding", json!("x".repeat(8192)))),
            ("a header that is no object", sealwright.sign_text("[]", &self.claims.to_string())),
            ("claims that are no object", sealwright.sign_text(&header, "[]")),
            ("claims that are no JSON", sealwright.sign_text(&header, "{")),
            ("exp twice", sealwright.sign_text(&header, &twice)),
        ]
    }

    fn headers(&self) -> Vec<Named> {
        let payload = base64url(self.claims.to_string().as_bytes());
        let unsigned = |alg: &str| format!("{}.{payload}.", base64url(naming(alg).to_string().as_bytes()));
        let hmac = Header { alg: Algorithm::HS256, ..self.header.clone() };
        vec![
            ("alg none", unsigned("none")),
            ("alg noNE", unsigned("noNE")),
            ("alg es256", self.headed(&naming("es256"))),
            ("alg RS256 with an EC key", self.headed(&naming("RS256"))),
            ("alg ES384 with a P-256 key", self.headed(&naming("ES384"))),
            ("the public key as a secret", self.sealwright.sign(&hmac, &self.claims)),
            ("typ of a longer name", self.headed(&json!({"typ": "xat+jwt", "alg": "ES256", "kid": "key"}))),
            ("typ of another token", self.headed(&json!({"typ": "logout+jwt", "alg": "ES256", "kid": "key"}))),
            ("no typ", self.headed(&json!({"alg": "ES256", "kid": "key"}))),
            ("no kid", self.headed(&json!({"typ": "at+jwt", "alg": "ES256"}))),
            ("kid of another type", self.headed(&json!({"typ": "at+jwt", "alg": "ES256", "kid": 1}))),
            ("hostile kid", self.headed(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "../../x' OR 1=1"}))),
            ("endless kid", self.headed(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "k".repeat(300)}))),
            ("crit", self.headed(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "key", "crit": ["exp"]}))),
            ("empty crit", self.headed(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "key", "crit": []}))),
        ]
    }

    fn claims(&self) -> Vec<Named> {
        let now = jsonwebtoken::get_current_timestamp();
        let without = |claim: &'static str| {
            let mut claims = self.claims.clone();
            claims.as_object_mut().unwrap().remove(claim);
            (claim, self.sealwright.sign(&self.header, &claims))
        };
        let missing = ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"].map(without);
        let url = &self.sealwright.url;
        let wrong = [
            ("another issuer", "iss", json!("https://auth.example")),
            ("an issuer's issuer", "iss", json!(format!("{url}/"))),
            ("several issuers", "iss", json!([url])),
            ("another audience", "aud", json!("https://api.example.com/")),
            ("no audience", "aud", json!([])),
            ("an audience of another type", "aud", json!({"a": 1})),
            ("expired", "exp", json!(now - 1)),
            ("expired now", "exp", json!(now)),
            ("exp as text", "exp", json!((now + 60).to_string())),
            ("exp null", "exp", Value::Null),
            ("exp fractional", "exp", json!(1e300)),
            ("exp beyond numbers", "exp", json!(u64::MAX)),
            ("exp negative", "exp", json!(i64::MIN)),
            ("nbf to come", "nbf", json!(now + 30)),
            ("nbf as text", "nbf", json!("0")),
            ("another environment", "environment", json!("staging")),
            ("scopes as a list", "scope", json!(["orders:read"])),
            // Any of these would look like a client that is tied to no customer, and may act for all.
            ("no customers", "customers", json!([])),
            ("customers null", "customers", Value::Null),
            ("customers as text", "customers", json!("acme")),
            ("customers of another type", "customers", json!([1])),
        ];
        wrong.into_iter().map(|(title, name, value)| (title, self.claiming(name, value))).chain(missing).collect()
    }
}

#[actix_web::test]
async fn forged_and_odd_tokens_are_refused() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    let (header, claims) = sealwright.good();
    let forger = Forger { sealwright: &sealwright, header, claims };
    for (name, token) in [forger.texts(), forger.headers(), forger.claims()].concat() {
        let response = call(&service, &token).await;
        assert_eq!((response.status, response.body["error"].as_str()), (401, Some("invalid_token")), "{name}");
        assert!(response.challenge.starts_with(r#"Bearer realm="orders", error="invalid_token""#), "{name}");
    }
    assert_eq!(call(&service, &sealwright.token()).await.status, 200);
}

#[actix_web::test]
async fn clocks_may_differ_by_the_leeway() {
    let sealwright = Sealwright::start();
    let leeway = |seconds| service(sealwright.builder().leeway(std::time::Duration::from_secs(seconds)));
    let (strict, lenient) = (leeway(0), leeway(3600));
    let (header, mut claims) = sealwright.good();
    let now = jsonwebtoken::get_current_timestamp();
    for (name, claim, at, expected) in [
        ("over for half a minute", "exp", now - 30, (401, 200)),
        ("over for more than a minute", "exp", now - 61, (401, 401)),
        ("in half a minute", "nbf", now + 30, (401, 200)),
        ("in more than a minute", "nbf", now + 90, (401, 401)),
    ] {
        let before = claims[claim].take();
        claims[claim] = json!(at);
        let token = sealwright.sign(&header, &claims);
        let statuses = (call(&strict, &token).await.status, call(&lenient, &token).await.status);
        assert_eq!(statuses, expected, "{name}");
        claims[claim] = before;
    }
}

/// Each key verifies its own algorithm, side by side with the others.
#[actix_web::test]
async fn every_algorithm_verifies() {
    let sealwright = Sealwright::start();
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let edwards = EncodingKey::from_ed_der(&pair.serialize_der());
    let edwards_jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key_raw()), "alg": "EdDSA"});
    let pair: Pkcs8V1Der = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let rsa = EncodingKey::from_rsa_der(&pair.as_ref()[26..]); // PKCS #1, which PKCS #8 wraps (RFC 5208)
    let rsa_jwk = json!(Jwk::from_encoding_key(&rsa, Algorithm::RS256).unwrap());
    let keys = [("edwards", Algorithm::EdDSA, edwards, edwards_jwk), ("rsa", Algorithm::RS256, rsa, rsa_jwk)];
    let mut published = vec![sealwright.jwk("key")];
    for (kid, _, _, jwk) in &keys {
        let mut jwk = jwk.clone();
        (jwk["kid"], jwk["use"]) = (json!(kid), json!("sig"));
        published.push(jwk);
    }
    sealwright.publish("max-age=300", &published);
    let service = service(sealwright.builder());
    let (mut header, claims) = sealwright.good();
    for (kid, algorithm, key, _) in &keys {
        header.alg = *algorithm;
        for (named, status) in [(*kid, 200), ("key", 401)] {
            header.kid = Some(named.to_owned());
            let token = jsonwebtoken::encode(&header, &claims, key).unwrap();
            assert_eq!(call(&service, &token).await.status, status, "{kid} as {named}");
        }
    }
    assert_eq!(call(&service, &sealwright.token()).await.status, 200);
}

/// RFC 6750 section 3.1.
#[actix_web::test]
async fn refusals_follow_rfc_6750() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    for headers in [&[][..], &[("Authorization", "Bearer")], &[("Authorization", "Basic Zm9vOmJhcg==")]] {
        let response = get(&service, headers).await;
        assert_eq!((response.status, response.challenge.as_str()), (401, r#"Bearer realm="orders""#), "{headers:?}");
        assert!(response.body["error"].is_null());
    }
    let token = format!("bearer {}", sealwright.token());
    assert_eq!(get(&service, &[("Authorization", &token)]).await.status, 200, "schemes have no case");
    // API keys are not accepted here, so the header is ignored.
    assert_eq!(get(&service, &[("Authorization", &token), ("X-API-Key", "k")]).await.status, 200);
    assert_eq!(get(&service, &[("X-API-Key", "k")]).await.challenge, r#"Bearer realm="orders""#);
    assert_eq!(call(&service, "junk").await.status, 401);
    let response = get(&service, &[("Authorization", &token), ("Authorization", &token)]).await;
    assert_eq!((response.status, response.body["error"].as_str()), (400, Some("invalid_request")));
    assert!(response.challenge.contains(r#"error="invalid_request""#), "{}", response.challenge);

    let post = reqwest::Client::new().post(format!("{service}/fulfil")).header("Authorization", &token);
    let response = read(post).await;
    assert_eq!((response.status, response.body["error"].as_str()), (403, Some("insufficient_scope")));
    assert!(response.challenge.ends_with(r#", scope="orders:write stock:write""#), "{}", response.challenge);
    let (header, mut claims) = sealwright.good();
    claims.as_object_mut().unwrap().remove("scope");
    assert_eq!(call(&service, &sealwright.sign(&header, &claims)).await.status, 403);
}

#[actix_web::test]
async fn a_service_without_resource_server_refuses_every_request() {
    let sealwright = Sealwright::start();
    let token = sealwright.token();
    assert_eq!(call(&start(|_| {}), &token).await.status, 500);
    let server = sealwright.builder().build().unwrap();
    let wrapped = start(move |config| {
        config.app_data(actix_web::web::Data::new(server.clone()));
    });
    assert_eq!(call(&wrapped, &token).await.status, 200);
}
