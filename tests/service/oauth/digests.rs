//! What proves a client's secret: the keyed digest of one that Sealwright generated, Argon2 for any other.

use super::{client, start};
use crate::support::{TestClient, both};

/// A wrong secret for the same client.
fn guess(client: &TestClient) -> TestClient {
    TestClient { secret: client.secret.replace("sws_", "sws_0"), ..client.clone() }
}

both! {
    /// SPEC §3: a generated secret is checked against its keyed digest: no Argon2, also in a process that never saw it.
    fn a_generated_secret_needs_no_argon2(database) {
        let mut server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        let stored = "FROM credential_secrets WHERE hash LIKE '$argon2id$%' AND length(keyed_digest) = 36";
        assert_eq!(server.database.numbers(&format!("SELECT COUNT(*) AS n {stored}")), [4], "this one and the owners");
        server.database.execute("UPDATE credential_secrets SET hash = 'useless'");
        for _ in 0..2 {
            server.restart();
            assert_eq!(server.token(&client).status, 200);
            assert_eq!(server.token(&guess(&client)).status, 401);
            assert_eq!(server.token(&TestClient { secret: String::new(), ..client.clone() }).status, 401);
            assert_eq!(server.argon2_checks(), 0);
        }
    }

    /// SPEC §3: a secret that people or other systems chose has no digest. Argon2 decides, once for each process.
    fn a_secret_without_digest_is_proven_by_argon2_once(database) {
        let mut server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        server.database.execute("UPDATE credential_secrets SET keyed_digest = NULL");
        for _ in 0..2 {
            server.restart();
            assert_eq!((server.token(&client).status, server.token(&client).status), (200, 200));
            assert_eq!(server.argon2_checks(), 1);
            assert_eq!(server.token(&guess(&client)).status, 401);
            assert_eq!(server.argon2_checks(), 2);
            // What proved the secret is remembered apart from the client.
            server.manage("PATCH", &format!("/clients/{}", client.id), Some(&serde_json::json!({"name": "other"})));
            let before = server.argon2_checks();
            assert_eq!((server.token(&client).status, server.argon2_checks()), (200, before));
        }
    }

    /// Where the key of the digests is lost, Argon2 decides about every secret.
    fn a_lost_key_of_digests_locks_nobody_out(database) {
        let mut server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        server.database.execute("UPDATE installation SET digest_key_sealed = NULL");
        server.restart();
        assert_eq!((server.token(&client).status, server.token(&guess(&client)).status), (200, 401));
        assert_eq!(server.argon2_checks(), 2);
        let new = super::client(&server, "orders:read", &[]);
        let before = server.argon2_checks();
        assert_eq!((server.token(&new).status, server.argon2_checks()), (200, before));
    }
}
