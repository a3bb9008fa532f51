//! A hundred changes a second beside full load: nobody is told to come back later, and both continue.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::text;
use crate::support::{Server, TestClient, both, holds_within, pause};

/// How long the load lasts at least.
const LOAD: Duration = Duration::from_secs(3);
/// The time between two changes.
const EVERY: Duration = Duration::from_millis(10);
/// Clients that send token requests all the time.
const CLIENTS: usize = 12;

fn made(server: &Server, path: &str, body: &Value) -> Value {
    let response = server.api("POST", path, &server.owner(), Some(body));
    assert_eq!(response.status, 201, "{path}: {}", response.text);
    response.body
}

/// Makes a change every hundredth of a second, each after the response to the one before, until the time is over.
fn change_all_the_time(
    server: &Server,
    (is_over, changes): (&AtomicBool, &AtomicU64),
    mut change: impl FnMut(u64) -> (String, Value),
) {
    let started = Instant::now();
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let (path, body) = change(number);
        let method = if path == "/revoke-all" { "POST" } else { "PATCH" };
        let response = server.api(method, &path, &server.owner(), Some(&body));
        assert_eq!(response.status, 200, "{method} {path}: {}", response.text);
        changes.store(number + 1, Ordering::Relaxed);
        let next = started + EVERY * u32::try_from(number + 1).unwrap();
        pause("the next one is due then", next.saturating_duration_since(Instant::now()));
    }
}

/// Sends token requests all the time beside changes. Both must continue.
fn load(server: &Server, clients: &[TestClient], change: impl FnMut(u64) -> (String, Value) + Send) {
    let (is_over, tokens, changes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let started = Instant::now();
    let is_enough = || {
        let [tokens, changes] = [&tokens, &changes].map(|count| count.load(Ordering::Relaxed));
        started.elapsed() > LOAD && tokens > 100 && changes > 50
    };
    std::thread::scope(|scope| {
        for client in clients {
            let (is_over, tokens) = (&is_over, &tokens);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let response = server.token(client);
                    assert_eq!(response.status, 200, "{}\n{}", response.text, server.log());
                    tokens.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let changing = scope.spawn(|| change_all_the_time(server, (&is_over, &changes), change));
        let continues = holds_within(Duration::from_secs(60), is_enough);
        is_over.store(true, Ordering::Relaxed);
        changing.join().unwrap();
        assert!(continues, "{tokens:?} tokens, {changes:?} changes");
    });
}

both! {
    fn a_hundred_changes_a_second_stop_nobody(database) {
        let settings = [("SIGNING_ALGORITHMS", r#"["ES256"]"#), ("LOG", "warn")];
        let server = Server::spawn_with(database, &settings);
        let roles = json!({"name": "shared", "scopes": ["orders:read"]});
        made(&server, "/roles", &roles);
        let user = text(&made(&server, "/users", &json!({"email": "a@example.com", "role": "shared"}))["id"]);
        let customer = json!({"external_id": "acme", "name": "Acme"});
        made(&server, "/customers", &customer);
        let options = ["--owner", user.as_str(), "--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"];
        let clients: Vec<TestClient> = (0..CLIENTS).map(|_| server.client_with("orders:read", &options)).collect();
        let other = server.client("orders:read");
        let words = |number: u64| json!({"description": format!("change {number}")});
        // Of what nobody uses now, of each client in turn, of what all of them share, and epochs.
        load(&server, &clients, |number| (format!("/clients/{}", other.id), words(number)));
        let of_each = |number: u64| &clients[usize::try_from(number).unwrap() % CLIENTS].id;
        load(&server, &clients, |number| (format!("/clients/{}", of_each(number)), words(number)));
        load(&server, &clients, |number| ("/roles/shared".to_owned(), words(number)));
        let epoch = json!({"customer": "acme"});
        load(&server, &clients, |_| ("/revoke-all".to_owned(), epoch.clone()));
    }
}
