//! The database fails for a while: public keys continue, nothing is granted, and it all recovers by itself.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use super::{OwnPostgres, folder_only};
use crate::support::{Database, Kind, Response, Server, TestClient, eventually, pause};

/// What is answered from memory, in no time.
fn goes_on(server: &Server) {
    for path in ["/healthz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/metrics"] {
        let asked = Instant::now();
        assert_eq!(server.get(path).status, 200, "{path}");
        assert!(asked.elapsed() < Duration::from_secs(1), "{path} took {:?}", asked.elapsed());
    }
}

fn recovers(server: &Server, client: &TestClient) {
    eventually("it recovers", Duration::from_secs(15), || {
        server.get("/readyz").status == 200 && server.token(client).status == 200
    });
    // Permanently, on every connection of the pool.
    for _ in 0..30 {
        let response = server.token(client);
        assert_eq!(response.status, 200, "{}", response.text);
    }
    let change = ["client", "update", &client.id, "--description", "after the outage"];
    assert_eq!(server.cli(&change)["description"], "after the outage");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// What is refused or cannot be known while the database is away, each within the time that a caller may wait.
fn refuses(server: &Server, client: &TestClient, cold: &TestClient) {
    let wrong = TestClient { secret: format!("{}x", client.secret), ..client.clone() };
    let unknown = TestClient { id: "cli_0000000000000000000000".to_owned(), secret: "x".to_owned() };
    let check = |what: &str, expected: &[u16], ask: &dyn Fn() -> Response| {
        let asked = Instant::now();
        let response = ask();
        assert!(expected.contains(&response.status), "{what}: {} {}", response.status, response.text);
        assert!(!response.text.contains("access_token"), "{what}");
        assert!(asked.elapsed() < Duration::from_secs(25), "{what} took {:?}", asked.elapsed());
    };
    std::thread::scope(|scope| {
        scope.spawn(|| check("token of a client in memory", &[503], &|| server.token(client)));
        scope.spawn(|| check("token of a client not in memory", &[503], &|| server.token(cold)));
        scope.spawn(|| check("a wrong secret", &[401, 503], &|| server.token(&wrong)));
        scope.spawn(|| check("an unknown client", &[401, 503], &|| server.token(&unknown)));
        scope.spawn(|| check("readiness", &[503], &|| server.get("/readyz")));
        scope.spawn(|| check("no credentials", &[401], &|| server.get("/api/v1/clients")));
        scope.spawn(|| {
            pause("the others' requests wait by then", Duration::from_millis(200));
            goes_on(server);
        });
    });
}

#[test]
fn postgres_is_stopped_and_started() {
    let postgres = OwnPostgres::start_new();
    let settings = [("DATABASE_URL", &*postgres.url()), ("SIGNING_ALGORITHMS", "[\"ES256\"]")];
    let server = Server::spawn_with(folder_only(), &settings);
    let (client, cold) = (server.client("orders:read"), server.client("orders:read"));
    // Several connections of the pool are in use before.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(server.token(&client).status, 200));
        }
    });
    for _ in 0..2 {
        postgres.stop();
        goes_on(&server);
        refuses(&server, &client, &cold);
        postgres.start();
        recovers(&server, &client);
    }
    assert_eq!(server.token(&cold).status, 200);
}

/// Worse than a server that is away is one that does not answer.
#[test]
fn postgres_hangs_and_goes_on() {
    let postgres = OwnPostgres::start_new();
    let settings = [("DATABASE_URL", &*postgres.url()), ("SIGNING_ALGORITHMS", "[\"ES256\"]")];
    let server = Server::spawn_with(folder_only(), &settings);
    let (client, cold) = (server.client("orders:read"), server.client("orders:read"));
    assert_eq!(server.token(&client).status, 200);
    postgres.freeze();
    goes_on(&server);
    refuses(&server, &client, &cold);
    postgres.thaw();
    recovers(&server, &client);
}

/// Another process holds SQLite's write lock: what waits is answered once it is free, or refused in time.
#[test]
fn sqlite_is_locked_by_another_process() {
    let settings = [("SIGNING_ALGORITHMS", "[\"ES256\"]")];
    let server = Server::spawn_with(Database::new(Kind::Sqlite), &settings);
    let client = server.client("orders:read");
    let cold = server.client("orders:read");
    assert_eq!(server.token(&client).status, 200);
    let file = server.database.data_dir().join("sealwright.db");
    let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();

    // For a moment: nobody notices but by the time it takes.
    other.batch_execute("PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE").unwrap();
    std::thread::scope(|scope| {
        let asked = Instant::now();
        let waiting = scope.spawn(|| server.token(&client));
        pause("the request waits all the while", Duration::from_millis(1500));
        goes_on(&server);
        other.batch_execute("COMMIT").unwrap();
        assert_eq!(waiting.join().unwrap().status, 200);
        assert!(asked.elapsed() > Duration::from_millis(1400));
    });

    // For longer than anybody should wait.
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let asked = Instant::now();
    std::thread::scope(|scope| {
        for client in [&client, &cold] {
            let server = &server;
            scope.spawn(move || {
                let response = server.token(client);
                assert_eq!(response.status, 503, "{}", response.text);
                assert_eq!(response.body["error"], "temporarily_unavailable");
            });
        }
        pause("the requests wait by then", Duration::from_millis(500));
        goes_on(&server);
    });
    assert!(asked.elapsed() < Duration::from_secs(14), "{:?}", asked.elapsed());
    other.batch_execute("COMMIT").unwrap();
    recovers(&server, &client);
}
