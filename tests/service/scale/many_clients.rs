//! More clients than a process remembers. None of them costs Argon2, whoever it was that saw them last.

use crate::support::{Server, TestClient, both};

/// Clients in rotation.
const CLIENTS: usize = 20_000;
/// Callers at once.
const CALLERS: usize = 4;

fn get_tokens(server: &Server, clients: &[TestClient]) {
    std::thread::scope(|scope| {
        for part in clients.chunks(clients.len().div_ceil(CALLERS)) {
            scope.spawn(move || {
                for client in part {
                    let response = server.token(client);
                    assert_eq!(response.status, 200, "{}: {}", client.id, response.text);
                }
            });
        }
    });
}

both! {
    /// SPEC §3: requests are checked against the digests.
    fn clients_that_were_never_seen_need_no_argon2(database) {
        let mut server = Server::start(database);
        let original = server.client("orders:read");
        let ids: Vec<String> = (0..CLIENTS).map(|number| format!("cli_{number:032x}")).collect();
        server.copy_client(&original, &ids);
        let clients: Vec<TestClient> =
            ids.into_iter().map(|id| TestClient { id, secret: original.secret.clone() }).collect();
        let few = &clients[..500];
        server.restart();
        get_tokens(&server, &clients);
        get_tokens(&server, few);
        server.restart();
        get_tokens(&server, few);
        let wrong = TestClient { secret: original.secret.to_lowercase(), ..few[0].clone() };
        assert_eq!(server.token(&wrong).status, 401);
        assert_eq!(server.argon2_checks(), 0);
    }
}
