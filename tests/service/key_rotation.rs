//! Signing keys change under load, and nobody who verifies offline notices.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::{Response, Server, both, eventually, pause};

/// A response of the JWKS endpoint, and until when a cache may use it.
struct KeySet {
    keys: JwkSet,
    usable_until: i64,
}

impl KeySet {
    fn fetch(server: &Server) -> Self {
        let asked = server.now();
        Self::of(&server.get("/.well-known/jwks.json"), asked)
    }

    /// Every second that the field allows is used, and age counts from the request (RFC 9111 §4.2.3).
    fn of(response: &Response, asked: i64) -> Self {
        assert_eq!(response.status, 200);
        let field = response.header("cache-control").to_owned();
        let seconds = |name: &str| -> i64 {
            let found = field.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.map_or(0, |seconds| seconds.parse().unwrap())
        };
        let usable = seconds("max-age") + seconds("stale-while-revalidate");
        Self { keys: serde_json::from_str(&response.text).unwrap(), usable_until: asked + usable * 1_000 }
    }

    fn kids(&self) -> HashSet<String> {
        self.keys.keys.iter().filter_map(|key| key.common.key_id.clone()).collect()
    }

    fn verify(&self, server: &Server, token: &str) -> Result<(), String> {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        let kid = header.kid.ok_or("no kid")?;
        let jwk = self.keys.find(&kid).ok_or_else(|| format!("unknown key {kid}"))?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&server.url]);
        validation.set_audience(&[format!("{}/resources", server.url)]);
        let key = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
        decode::<Value>(token, &key, &validation).map(drop).map_err(|error| error.to_string())
    }
}

both! {
    /// A new key is published for the lead before it signs, and no response may be cached for longer than
    /// that.
    fn every_token_verifies_offline_while_keys_rotate(database) {
        const ROTATIONS: usize = 4;
        let server = Server::start_with(database, &[("SIGNING_KEY_LEAD", "2s")]);
        let client =
            server.client_with("orders:read", &["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"]);
        let manager = server.client_with("sealwright.admin", &["--audience", &format!("{}/api/v1", server.url)]);
        let management = server.management_token(&manager);
        let ended = AtomicBool::new(false);
        let verified = AtomicUsize::new(0);
        let kids_seen = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            // Verifiers that keep a key set for as long as they may.
            for number in 0..3 {
                let (server, client, ended, verified, kids_seen) = (&server, &client, &ended, &verified, &kids_seen);
                scope.spawn(move || {
                    let mut keys = KeySet::fetch(server);
                    while !ended.load(Ordering::SeqCst) {
                        let token = server.token(client).body["access_token"].as_str().unwrap().to_owned();
                        if keys.usable_until <= server.now() {
                            keys = KeySet::fetch(server);
                        }
                        if let Err(wrong) = keys.verify(server, &token) {
                            panic!("verifier {number}: {wrong}");
                        }
                        verified.fetch_add(1, Ordering::Relaxed);
                        kids_seen.lock().unwrap().insert(decode_header(&token).unwrap().kid.unwrap());
                        pause("the machine is shared", Duration::from_millis(5));
                    }
                });
            }
            // A verifier for every moment: no response that lacks a key may still be usable once that key signs.
            scope.spawn(|| {
                let mut responses: Vec<KeySet> = Vec::new();
                while !ended.load(Ordering::SeqCst) {
                    let fetched = KeySet::fetch(&server);
                    responses.retain(|response| response.usable_until > server.now());
                    if responses.last().is_none_or(|last| last.kids() != fetched.kids()) {
                        responses.push(fetched);
                    } else if let Some(last) = responses.last_mut() {
                        last.usable_until = fetched.usable_until;
                    }
                    let token = server.token(&client).body["access_token"].as_str().unwrap().to_owned();
                    let arrived = server.now();
                    let kid = decode_header(&token).unwrap().kid.unwrap();
                    for response in responses.iter().filter(|response| response.usable_until > arrived) {
                        let left = response.usable_until - arrived;
                        assert!(
                            response.kids().contains(&kid),
                            "{kid} signs while a set without it is usable for {left} ms"
                        );
                    }
                    pause("the machine is shared", Duration::from_millis(2));
                }
            });
            for number in 0..ROTATIONS {
                let before = KeySet::fetch(&server).kids().len();
                if number == 0 {
                    // A command goes by the system's clock, which the server's is ahead of from then on.
                    server.cli(&["signing-key", "rotate", "--environment", "production", "--algorithm", "ES256"]);
                } else {
                    let body = json!({"environment": "production", "algorithm": "ES256"});
                    let response = server.api("POST", "/signing-keys/rotate", &management, Some(&body));
                    assert_eq!(
                        (response.status, response.body["status"].as_str()),
                        (201, Some("pending")),
                        "{}",
                        response.text
                    );
                }
                eventually("the new key is published", Duration::from_secs(1), || {
                    KeySet::fetch(&server).kids().len() > before
                });
                // The lead and more passes in steps, in each of which every verifier comes to ask.
                for _ in 0..14 {
                    server.advance(200);
                    let so_far = verified.load(Ordering::Relaxed);
                    let asked = || verified.load(Ordering::Relaxed) >= so_far + 3 || ended.load(Ordering::Relaxed);
                    eventually("verifiers ask", Duration::from_secs(20), asked);
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
        assert_eq!(kids_seen.into_inner().unwrap().len(), ROTATIONS + 1, "every key has signed");
        assert!(verified.into_inner() > 100);
        // Retired keys stay published for as long as what they signed may live.
        assert!(KeySet::fetch(&server).kids().len() > ROTATIONS);
    }
}
