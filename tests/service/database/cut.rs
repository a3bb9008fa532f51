//! A process that is cut from the database, while another one changes something: before, meanwhile and after, it
//! accepts no request that began after the change's response.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::link::{Link, State};
use crate::api::text;
use crate::support::{Database, Kind, Server, TestClient, TestKey, eventually, pause};

/// What one round ends, by which it is presented again and again.
struct Ended {
    key: TestKey,
    client: TestClient,
    token: String,
}

impl Ended {
    fn new(server: &Server) -> Self {
        let client = server.client("orders:read");
        let token = text(&server.token(&client).body["access_token"]);
        Self { key: server.key("orders:read"), client, token }
    }

    /// Presents one of its credentials, and returns the status.
    fn present(&self, server: &Server, number: usize) -> Option<u16> {
        let forward_auth = || server.http.get(format!("{}/api/v1/forward-auth", server.url));
        let request = match number % 3 {
            0 => forward_auth().header("x-api-key", &self.key.key),
            1 => forward_auth().bearer_auth(&self.token),
            _ => {
                let request = server.http.post(format!("{}/api/oauth/token", server.url));
                let request = request.basic_auth(&self.client.id, Some(&self.client.secret));
                request.form(&[("grant_type", "client_credentials")])
            }
        };
        request.send().ok().map(|response| response.status().as_u16())
    }
}

/// Presents it all the time, and returns when each request that was accepted began.
fn accepted(ended: &Ended, server: &Server, is_over: &AtomicBool, number: usize) -> Vec<Instant> {
    let mut began = Vec::new();
    for turn in number.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let now = Instant::now();
        if ended.present(server, turn) == Some(200) {
            began.push(now);
        }
        pause("others need the machine, too", Duration::from_millis(2));
    }
    began
}

fn round(here: &Server, there: &Server, link: &Link, state: State) {
    let ended = Ended::new(here);
    for number in 0..3 {
        assert_eq!(ended.present(there, number), Some(200), "it is cached");
    }
    let (is_over, began) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let revoked = std::thread::scope(|scope| {
        for number in 0..6 {
            let (ended, is_over, began) = (&ended, &is_over, &began);
            scope.spawn(move || began.lock().unwrap().extend(accepted(ended, there, is_over, number)));
        }
        pause("requests are at every stage", Duration::from_millis(200));
        link.set(state);
        here.manage("POST", &format!("/keys/{}/revoke", ended.key.id), None);
        here.manage("POST", &format!("/clients/{}/disable", ended.client.id), None);
        let revoked = Instant::now();
        pause("requests begin that cannot be decided", Duration::from_millis(1_500));
        link.set(State::Whole);
        let good = here.client("orders:read");
        eventually("it recovers", Duration::from_secs(30), || there.token(&good).status == 200);
        pause("it has recovered", Duration::from_millis(500));
        is_over.store(true, Ordering::Relaxed);
        revoked
    });
    let began = began.into_inner().unwrap();
    assert!(!began.is_empty(), "it was accepted before");
    assert_eq!(began.iter().filter(|began| **began > revoked).count(), 0, "{state:?}");
}

#[test]
fn a_process_that_is_cut_from_the_database_accepts_nothing_that_was_ended_meanwhile() {
    let database = Database::new(Kind::Postgres);
    let url = database.url().unwrap().to_owned();
    let link = Link::to(&url);
    let here = Server::spawn_with(database, &[("SIGNING_ALGORITHMS", r#"["ES256"]"#)]);
    let there = here.beside(&[("DATABASE_URL", &link.url(&url))]);
    for state in [State::Cut, State::Silent, State::Cut, State::Silent] {
        round(&here, &there, &link, state);
    }
    assert!(!there.log().contains("panicked"), "{}", there.log());
}
