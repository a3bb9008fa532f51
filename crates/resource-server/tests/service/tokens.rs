//! Tokens, good and forged.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::{Sealwright, base64url, call, get, read, service, start};

#[actix_web::test]
async fn a_good_token_says_who_calls() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    let response = call(&service, &sealwright.token()).await;
    assert_eq!(response.status, 200);
    let expected = json!({
        "credential": "cli_1", "kind": "token", "scopes": ["orders:read", "stock:read"], "customers": ["acme"],
        "owner": null, "environment": "production", "token_id": "tok_1",
    });
    assert_eq!(response.body, expected);

    // What is allowed to differ.
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
    ] {
        assert_eq!(call(&service, &token).await.status, 200, "{name}");
    }
    assert_eq!(sealwright.key_fetches(), 1);
}

#[actix_web::test]
async fn forged_and_odd_tokens_are_refused() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    let (good_header, good_claims) = sealwright.good();
    let good = sealwright.token();
    let headed = |header: Value| sealwright.sign_text(&header.to_string(), &good_claims.to_string());
    let named = |alg: &str| json!({"typ": "at+jwt", "alg": alg, "kid": "key"});
    let unsigned =
        |alg: &str| format!("{}.{}.", base64url(named(alg).to_string().as_bytes()), good.split('.').nth(1).unwrap());
    let with = |name: &str, value: Value| {
        let mut claims = good_claims.clone();
        claims[name] = value;
        sealwright.sign(&good_header, &claims)
    };
    let now = jsonwebtoken::get_current_timestamp();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let hmac = {
        let mut header = good_header.clone();
        header.alg = Algorithm::HS256;
        sealwright.sign(&header, &good_claims)
    };
    let stranger = Sealwright::start();
    let twice = good_claims.to_string().replacen('{', "{\"exp\":9999999999,", 1);
    let payload_twice = sealwright.sign_text(&named("ES256").to_string(), &twice);
    let mut tokens = vec![
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.x")),
        ("dots", "...........".to_owned()),
        ("padding", format!("{good}=")),
        ("another signature", format!("{message}.{turned}")),
        ("no signature", format!("{message}.")),
        ("a signature of zeros", format!("{message}.{}", base64url(&[0; 64]))),
        ("a short signature", format!("{message}.{}", base64url(&[7; 63]))),
        ("another's key by the same name", stranger.sign(&good_header, &good_claims)),
        ("too long", with("padding", json!("x".repeat(8192)))),
        ("alg none", unsigned("none")),
        ("alg noNE", unsigned("noNE")),
        ("alg es256", headed(named("es256"))),
        ("alg RS256 with an EC key", headed(named("RS256"))),
        ("alg ES384 with a P-256 key", headed(named("ES384"))),
        ("the public key as a secret", hmac),
        ("typ JWT", headed(json!({"typ": "JWT", "alg": "ES256", "kid": "key"}))),
        ("typ of another token", headed(json!({"typ": "logout+jwt", "alg": "ES256", "kid": "key"}))),
        ("no typ", headed(json!({"alg": "ES256", "kid": "key"}))),
        ("no kid", headed(json!({"typ": "at+jwt", "alg": "ES256"}))),
        ("kid of another type", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": 1}))),
        ("hostile kid", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": "../../x' OR 1=1"}))),
        ("endless kid", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": "k".repeat(300)}))),
        ("crit", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": "key", "crit": ["exp"]}))),
        ("empty crit", headed(json!({"typ": "at+jwt", "alg": "ES256", "kid": "key", "crit": []}))),
        ("a header that is no object", sealwright.sign_text("[]", &good_claims.to_string())),
        ("claims that are no object", sealwright.sign_text(&named("ES256").to_string(), "[]")),
        ("claims that are no JSON", sealwright.sign_text(&named("ES256").to_string(), "{")),
        ("exp twice", payload_twice),
        ("another issuer", with("iss", json!("https://auth.example"))),
        ("an issuer's issuer", with("iss", json!(format!("{}/", sealwright.url)))),
        ("several issuers", with("iss", json!([sealwright.url]))),
        ("another audience", with("aud", json!("https://api.example.com/"))),
        ("no audience", with("aud", json!([]))),
        ("an audience of another type", with("aud", json!({"a": 1}))),
        ("expired", with("exp", json!(now - 1))),
        ("expired now", with("exp", json!(now))),
        ("exp as text", with("exp", json!((now + 60).to_string()))),
        ("exp null", with("exp", Value::Null)),
        ("exp fractional", with("exp", json!(1e300))),
        ("exp beyond numbers", with("exp", json!(u64::MAX))),
        ("exp negative", with("exp", json!(i64::MIN))),
        ("nbf to come", with("nbf", json!(now + 30))),
        ("nbf as text", with("nbf", json!("0"))),
        ("another environment", with("environment", json!("staging"))),
        ("scopes as a list", with("scope", json!(["orders:read"]))),
    ];
    for claim in ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"] {
        let mut claims = good_claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        tokens.push((claim, sealwright.sign(&good_header, &claims)));
    }
    for (name, token) in tokens {
        let response = call(&service, &token).await;
        assert_eq!((response.status, response.body["error"].as_str()), (401, Some("invalid_token")), "{name}");
        assert!(response.challenge.starts_with(r#"Bearer realm="orders", error="invalid_token""#), "{name}");
    }
    assert_eq!(call(&service, &good).await.status, 200);
}

#[actix_web::test]
async fn clocks_may_differ_by_as_much_as_is_said() {
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
async fn refusals_are_worded_by_the_book() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    for headers in [&[][..], &[("Authorization", "Bearer")], &[("Authorization", "Basic Zm9vOmJhcg==")]] {
        let response = get(&service, headers).await;
        assert_eq!((response.status, response.challenge.as_str()), (401, r#"Bearer realm="orders""#), "{headers:?}");
        assert!(response.body["error"].is_null());
    }
    let token = format!("bearer {}", sealwright.token());
    assert_eq!(get(&service, &[("Authorization", &token)]).await.status, 200, "schemes have no case");
    // Keys are not taken here, so that the header is none of ours.
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
async fn a_service_that_is_not_set_up_lets_nobody_in() {
    let sealwright = Sealwright::start();
    let token = sealwright.token();
    assert_eq!(call(&start(|_| {}), &token).await.status, 500);
    let server = sealwright.builder().build().unwrap();
    let wrapped = start(move |config| {
        config.app_data(actix_web::web::Data::new(server.clone()));
    });
    assert_eq!(call(&wrapped, &token).await.status, 200);
}
