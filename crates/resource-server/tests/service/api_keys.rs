//! API keys: the requests to Sealwright, and the effect of its responses.

use serde_json::{Value, json};

use crate::support::{OWN_KEY, Sealwright, call, get, service};

const KEY: &str = "sw_live_0123456789abcdefghijABCDEFGHIJ01abcdef";

fn accepting_keys(sealwright: &Sealwright) -> String {
    service(sealwright.builder().api_keys(sealwright.url.as_str(), OWN_KEY))
}

fn valid() -> Value {
    json!({
        "valid": true, "code": "VALID", "id": "key_1", "name": "nightly", "type": "partner", "owner": "usr_1",
        "customers": ["acme"], "scopes": ["orders:read"], "expires_at": null,
        "rate_limit": {"limit": 10, "remaining": 9, "reset_after": 1, "retry_after": null},
    })
}

#[actix_web::test]
async fn sealwright_verifies_the_key_and_names_its_caller() {
    let sealwright = Sealwright::start();
    let service = accepting_keys(&sealwright);
    sealwright.respond(200, valid());
    let expected = json!({
        "credential": "key_1", "kind": "api_key", "scopes": ["orders:read"], "customers": ["acme"],
        "owner": "usr_1", "environment": "production", "token_id": null,
    });
    let response = get(&service, &[("X-API-Key", KEY), ("User-Agent", "test")]).await;
    assert_eq!((response.status, response.body), (200, expected));
    assert_eq!(call(&service, KEY).await.status, 200, "as a bearer token");
    assert_eq!(get(&service, &[("X-API-Key", KEY), ("Authorization", "Basic Zm9vOmJhcg==")]).await.status, 200);

    let verify_requests = sealwright.script.verify_requests.lock().unwrap().clone();
    assert_eq!(verify_requests.len(), 3);
    let expected = json!({
        "key": KEY, "environment": "production", "scopes": ["orders:read"], "ip": "127.0.0.1", "method": "GET",
        "path": "/orders", "user_agent": "test",
    });
    assert_eq!(verify_requests[0], (Some(OWN_KEY.to_owned()), expected));
    assert_eq!(sealwright.key_fetches(), 0, "the key set is not needed");
    assert_eq!(call(&service, &sealwright.token()).await.status, 200, "tokens are accepted too");
    assert_eq!(sealwright.script.verify_requests.lock().unwrap().len(), 3);
}

#[actix_web::test]
async fn each_code_has_its_status() {
    let sealwright = Sealwright::start();
    let service = accepting_keys(&sealwright);
    for (code, status, error) in [
        ("NOT_FOUND", 401, Some("invalid_token")),
        ("REVOKED", 401, Some("invalid_token")),
        ("EXPIRED", 401, Some("invalid_token")),
        ("DISABLED", 401, Some("invalid_token")),
        ("WRONG_ENVIRONMENT", 401, Some("invalid_token")),
        ("IP_NOT_ALLOWED", 403, Some("access_denied")),
        ("WRONG_CUSTOMER", 403, Some("access_denied")),
        ("INSUFFICIENT_SCOPE", 403, Some("insufficient_scope")),
        ("RATE_LIMITED", 429, None),
        ("A_CODE_TO_COME", 401, Some("invalid_token")),
        // It cannot be both.
        ("VALID", 401, Some("invalid_token")),
    ] {
        sealwright.respond(200, json!({"valid": false, "code": code}));
        let response = get(&service, &[("X-API-Key", KEY)]).await;
        assert_eq!((response.status, response.body["error"].as_str()), (status, error), "{code}");
        assert_eq!(response.challenge.contains(r#"scope="orders:read""#), code == "INSUFFICIENT_SCOPE");
        assert_eq!(response.challenge.contains("invalid_token"), status == 401, "{code}");
        assert!(!response.body.to_string().contains(code), "the response does not say why");
    }
    for (retry_after, expected) in [
        (json!(7), "7"),
        (json!(0.2), "1"),
        (json!(2.1), "3"),
        (json!(null), "5"),
        (json!(-1), "5"),
        (json!(1e9), "86400"),
    ] {
        let limit = json!({"limit": 10, "remaining": 0, "reset_after": 7, "retry_after": retry_after});
        sealwright.respond(200, json!({"valid": false, "code": "RATE_LIMITED", "rate_limit": limit}));
        let response = get(&service, &[("X-API-Key", KEY)]).await;
        assert_eq!((response.status, response.retry_after.as_str()), (429, expected), "{retry_after}");
    }
    let mut poor = valid();
    poor["scopes"] = json!(["orders:write"]);
    sealwright.respond(200, poor);
    assert_eq!(get(&service, &[("X-API-Key", KEY)]).await.status, 403, "the scopes are checked here too");
}

#[actix_web::test]
async fn a_failed_verification_is_503() {
    let sealwright = Sealwright::start();
    let service = accepting_keys(&sealwright);
    for (status, body) in [
        (500, valid()),
        (503, valid()),
        (401, valid()),
        (403, valid()),
        (429, valid()),
        (201, valid()),
        (302, valid()),
        (200, json!({})),
        (200, json!([])),
        (200, json!({"valid": "yes", "code": "VALID", "id": "key_1"})),
        (200, json!({"valid": true, "code": "VALID", "id": "key_1", "padding": "x".repeat(100_000)})),
    ] {
        sealwright.respond(status, body);
        let response = get(&service, &[("X-API-Key", KEY)]).await;
        assert_eq!((response.status, response.retry_after.as_str()), (503, "5"), "{status}");
        assert!(response.body["error"].is_null() && response.challenge.is_empty());
    }
    sealwright.stop().await;
    assert_eq!(get(&service, &[("X-API-Key", KEY)]).await.status, 503);
}

#[actix_web::test]
async fn values_that_cannot_be_keys_are_not_sent() {
    let sealwright = Sealwright::start();
    let service = accepting_keys(&sealwright);
    sealwright.respond(200, valid());
    let endless = "k".repeat(257);
    for (headers, status) in [
        (&[("X-API-Key", "a b")][..], 401),
        (&[("X-API-Key", "a'--")], 401),
        (&[("X-API-Key", sealwright.token().as_str())], 401),
        (&[("X-API-Key", endless.as_str())], 401),
        (&[("X-API-Key", "")], 401),
        (&[("X-API-Key", "ä")], 400),
        (&[("X-API-Key", KEY), ("X-API-Key", KEY)], 400),
        (&[("X-API-Key", KEY), ("Authorization", &format!("Bearer {}", sealwright.token()))], 400),
        (&[("X-API-Key", KEY), ("Authorization", &format!("Bearer {KEY}"))], 400),
        (&[("Authorization", "Bearer a.b.c")], 401),
    ] {
        assert_eq!(get(&service, headers).await.status, status, "{headers:?}");
    }
    assert_eq!(sealwright.script.verify_requests.lock().unwrap().len(), 0);
}

#[actix_web::test]
async fn the_service_sets_how_the_address_is_found() {
    let sealwright = Sealwright::start();
    let builder = sealwright.builder().api_keys(sealwright.url.as_str(), OWN_KEY);
    let service = service(builder.client_address(|request| {
        let forwarded = request.headers().get("X-Real-IP")?;
        forwarded.to_str().ok()?.parse().ok()
    }));
    sealwright.respond(200, valid());
    let headers = |address| [("X-API-Key", KEY), ("X-Real-IP", address)];
    assert_eq!(get(&service, &headers("::ffff:192.0.2.7")).await.status, 200);
    assert_eq!(get(&service, &headers("unknown")).await.status, 200);
    let verify_requests = sealwright.script.verify_requests.lock().unwrap().clone();
    assert_eq!(verify_requests[0].1["ip"], "192.0.2.7", "one address has one spelling");
    assert!(verify_requests[1].1.get("ip").is_none());
}
