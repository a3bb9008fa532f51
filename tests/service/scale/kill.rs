//! What was acknowledged is stored, whenever the process is killed.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::database::positions::assert_positions;
use crate::durability::{assert_indexed, issued, jti_of, try_token};
use crate::support::{Server, both, holds_within, pause};

/// A number below `bound` that nobody foresees.
fn random(bound: u64) -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish() % bound
}

both! {
    /// Nothing that was acknowledged is lost when the process is killed. Fifty rounds of killing it under
    /// load.
    fn what_was_acknowledged_before_a_kill_is_stored(database) {
        const ROUNDS: usize = 50;
        let mut server = Server::spawn_with(database, &[("SIGNING_ALGORITHMS", "[\"ES256\"]")]);
        let unlimited = ["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"];
        let client = server.client_with("orders:read", &unlimited);
        let audience = format!("{}/api/v1", server.url);
        let options = [&unlimited[..], &["--audience", &audience]].concat();
        let manager = server.client_with("sealwright.admin", &options);
        let management = server.management_token(&manager);
        let (mut tokens, mut scopes): (HashSet<String>, HashSet<String>) = Default::default();
        for round in 0..ROUNDS {
            let (responses, changes) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let killed = AtomicBool::new(false);
            let (server_now, responses, changes, killed) = (&server, &responses, &changes, &killed);
            std::thread::scope(|scope| {
                let fetchers: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            let mut received = Vec::new();
                            while let Some((status, response)) = try_token(&server_now.http, &server_now.url, &client) {
                                assert_eq!(status, 200, "{response}");
                                received.push(jti_of(&response));
                                responses.fetch_add(1, Ordering::SeqCst);
                            }
                            assert!(killed.load(Ordering::SeqCst), "an answer was missing before the kill");
                            received
                        })
                    })
                    .collect();
                let manage = scope.spawn(|| {
                    let mut made = Vec::new();
                    for number in 0.. {
                        let name = format!("made:{round}_{number}");
                        let request = server_now.http.post(format!("{}/api/v1/scopes", server_now.url));
                        let body = json!({"name": name, "description": "made under load"});
                        let Ok(response) = request.bearer_auth(&management).json(&body).send() else { break };
                        let status = response.status().as_u16();
                        // The head alone says that it is done.
                        assert_eq!(status, 201, "{:?}", response.text());
                        made.push(name);
                        changes.fetch_add(1, Ordering::SeqCst);
                    }
                    made
                });
                // The first token may cost Argon2, which is a long time; from then on any moment is as good.
                let both_are_served = || responses.load(Ordering::SeqCst) >= 3 && changes.load(Ordering::SeqCst) >= 1;
                assert!(holds_within(Duration::from_secs(60), both_are_served), "nothing was served in round {round}");
                pause("any moment is as good", Duration::from_micros(random(60_000)));
                killed.store(true, Ordering::SeqCst);
                server_now.signal("KILL");
                for fetcher in fetchers {
                    tokens.extend(fetcher.join().unwrap());
                }
                scopes.extend(manage.join().unwrap());
            });
            server.restart();
        }
        assert!(
            tokens.len() >= 3 * ROUNDS && scopes.len() >= ROUNDS,
            "{} tokens, {} scopes",
            tokens.len(),
            scopes.len()
        );
        let issued = issued(&server.database);
        let lost: Vec<_> = tokens.difference(&issued).collect();
        assert!(lost.is_empty(), "{} of {} tokens have no event: {lost:?}", lost.len(), tokens.len());
        let sql = "SELECT name AS t FROM scopes JOIN audit_log ON target = name WHERE action = 'scope.create'";
        let stored: HashSet<String> = server.database.texts(sql).into_iter().collect();
        let lost: Vec<_> = scopes.difference(&stored).collect();
        assert!(lost.is_empty(), "{} of {} scopes are lost: {lost:?}", lost.len(), scopes.len());
        assert_indexed(&server.database);
        assert_positions(&server.database);
    }
}
