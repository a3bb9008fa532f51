//! The issuer's keys: how often they are fetched, and what happens while they cannot be fetched.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::support::{Sealwright, call, service};

/// Longer than the tests' interval between two fetches.
const LATER: Duration = Duration::from_millis(1500);

fn quick(sealwright: &Sealwright) -> String {
    service(sealwright.builder().refetch_interval(Duration::from_secs(1)))
}

/// Calls with all tokens at once. Returns the statuses.
async fn storm(service: &str, tokens: impl Iterator<Item = String>) -> Vec<u16> {
    let calls: Vec<_> = tokens
        .map(|token| {
            let service = service.to_owned();
            actix_web::rt::spawn(async move { call(&service, &token).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    statuses
}

#[actix_web::test]
async fn unknown_key_ids_cost_the_issuer_nothing() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    sealwright.script.delay.store(100, Ordering::SeqCst);
    let statuses = storm(&service, (0..50).map(|number| sealwright.token_of(&format!("made up {number}")))).await;
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(call(&service, &sealwright.token()).await.status, 200);
    assert_eq!(sealwright.key_fetches(), 1);
}

#[actix_web::test]
async fn concurrent_requests_wait_for_one_response() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    sealwright.script.delay.store(300, Ordering::SeqCst);
    let statuses = storm(&service, (0..20).map(|_| sealwright.token())).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(sealwright.key_fetches(), 1);
}

#[actix_web::test]
async fn callers_who_hang_up_cause_no_second_fetch() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    sealwright.script.delay.store(500, Ordering::SeqCst);
    let token = sealwright.token();
    for _ in 0..5 {
        let _ = tokio::time::timeout(Duration::from_millis(50), call(&service, &token)).await;
    }
    assert_eq!(call(&service, &token).await.status, 200);
    assert_eq!(sealwright.key_fetches(), 1);
}

#[actix_web::test]
async fn a_new_key_is_found() {
    let sealwright = Sealwright::start();
    let service = quick(&sealwright);
    assert_eq!(call(&service, &sealwright.token()).await.status, 200);
    sealwright.publish("max-age=300", &[sealwright.jwk("key"), sealwright.jwk("new")]);
    assert_eq!(call(&service, &sealwright.token_of("new")).await.status, 401, "the keys were just fetched");
    tokio::time::sleep(LATER).await;
    assert_eq!(call(&service, &sealwright.token_of("new")).await.status, 200);
    assert_eq!(sealwright.key_fetches(), 2);
}

#[actix_web::test]
async fn a_removed_key_is_dropped() {
    let sealwright = Sealwright::start();
    sealwright.publish("max-age=0", &[sealwright.jwk("key")]);
    let service = quick(&sealwright);
    assert_eq!(call(&service, &sealwright.token()).await.status, 200);
    sealwright.publish("max-age=0", &[]);
    tokio::time::sleep(LATER).await;
    assert_eq!(call(&service, &sealwright.token()).await.status, 401);
}

#[actix_web::test]
async fn cached_keys_are_used_while_fetches_fail() {
    let sealwright = Sealwright::start();
    sealwright.publish("max-age=0, stale-if-error=4", &[sealwright.jwk("key")]);
    let service = quick(&sealwright);
    let token = sealwright.token();
    assert_eq!(call(&service, &token).await.status, 200);
    for status in [500, 302, 404] {
        sealwright.fail(status);
        tokio::time::sleep(Duration::from_millis(1050)).await;
        assert_eq!(call(&service, &token).await.status, 200, "{status}");
    }
    assert!(sealwright.key_fetches() >= 3, "fetches continue");
    let response = call(&service, &sealwright.token_of("unknown")).await;
    assert_eq!((response.status, response.retry_after.as_str()), (503, "1"), "the key may be new");
    tokio::time::sleep(LATER).await;
    assert_eq!(call(&service, &token).await.status, 503, "cached keys end");
    sealwright.publish("max-age=0", &[sealwright.jwk("key")]);
    tokio::time::sleep(LATER).await;
    assert_eq!(call(&service, &token).await.status, 200);
}

#[actix_web::test]
async fn no_request_waits_while_the_issuer_is_slow() {
    let sealwright = Sealwright::start();
    sealwright.publish("max-age=1, stale-while-revalidate=60", &[sealwright.jwk("key")]);
    let service = quick(&sealwright);
    let token = sealwright.token();
    assert_eq!(call(&service, &token).await.status, 200);
    tokio::time::sleep(LATER).await;
    sealwright.script.delay.store(3000, Ordering::SeqCst);
    let response = tokio::time::timeout(Duration::from_secs(2), call(&service, &token)).await;
    assert_eq!(response.expect("it waited").status, 200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sealwright.key_fetches(), 2);
}

#[actix_web::test]
async fn without_keys_every_token_is_503() {
    let sealwright = Sealwright::start();
    let service = service(sealwright.builder());
    sealwright.stop().await;
    let response = call(&service, &sealwright.token()).await;
    assert_eq!((response.status, response.retry_after.as_str()), (503, "5"));
    assert!(response.body["error"].is_null() && response.challenge.is_empty());
}

#[actix_web::test]
async fn malformed_responses_are_refused() {
    let huge = "x".repeat(100_000);
    for (name, keys) in [
        ("too long", json!({"keys": [], "padding": huge})),
        ("no keys", json!({})),
        ("keys of another type", json!({"keys": "key"})),
    ] {
        let sealwright = Sealwright::start();
        sealwright.script.jwks.lock().unwrap().2 = keys;
        assert_eq!(call(&service(sealwright.builder()), &sealwright.token()).await.status, 503, "{name}");
    }
    let sealwright = Sealwright::start();
    *sealwright.script.issuer.lock().unwrap() = Some("https://auth.example".to_owned());
    let response = call(&service(sealwright.builder()), &sealwright.token()).await;
    assert_eq!(response.status, 503, "RFC 8414 section 3.3");
    let sealwright = Sealwright::start();
    sealwright.publish("", &[sealwright.jwk("key"), sealwright.jwk("key")]);
    assert_eq!(call(&service(sealwright.builder()), &sealwright.token()).await.status, 503, "one id, two keys");
}

#[actix_web::test]
async fn only_keys_that_sign_tokens_are_used() {
    for (name, member, value, status) in [
        ("for encryption", "use", json!("enc"), 401),
        ("for nothing", "use", json!(null), 401),
        ("without an algorithm", "alg", json!(null), 401),
        ("of a symmetric algorithm", "alg", json!("HS256"), 401),
        ("of another family's algorithm", "alg", json!("RS256"), 401),
        ("of another curve's algorithm", "alg", json!("ES384"), 401),
        ("damaged", "x", json!("AAAA"), 401),
        ("no base64", "x", json!("?"), 401),
        ("with what is unknown", "ext", json!(true), 200),
    ] {
        let sealwright = Sealwright::start();
        let mut jwk = sealwright.jwk("key");
        jwk[member] = value;
        let odd = json!({"kty": "NEW", "kid": "other"});
        sealwright.publish("", &[odd, json!("no key"), jwk]);
        assert_eq!(call(&service(sealwright.builder()), &sealwright.token()).await.status, status, "{name}");
    }
}
