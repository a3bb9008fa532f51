//! PostgreSQL over TLS.

use super::{command_on, refusal};
use crate::support::{Database, Kind, Server, run};

fn url(database: &Database, authority: &str) -> String {
    format!("{}?sslmode=verify-full&sslrootcert={authority}", database.url().unwrap())
}

#[test]
fn the_server_s_certificate_is_verified() {
    let authority = std::env::var("SEALWRIGHT_TEST_POSTGRES_CA").expect("run by scripts/test");
    let database = Database::empty(Kind::Postgres);
    let good = url(&database, &authority);
    // A wrong authority first: the database is empty, and stays so.
    let other = database.folder.path().join("other-ca.crt");
    let foreign = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&other, foreign.cert.pem()).unwrap();
    let wrong = url(&database, other.to_str().unwrap());
    let missing = url(&database, "/nonexistent/ca.crt");
    for (url, word) in [(&wrong, "certificate verify failed"), (&missing, "/nonexistent/ca.crt")] {
        for arguments in [&["serve"][..], &["migrate"], &["client", "list"]] {
            let mut command = command_on(&database, &[("LISTEN", "127.0.0.1:0")], arguments);
            command.env("SEALWRIGHT_DATABASE_URL", url);
            let said = refusal(command);
            assert!(said.contains(word), "{said}");
            let (_, password) = url.rsplit_once('@').unwrap().0.rsplit_once(':').unwrap();
            assert!(!said.contains(password), "the password stands in {said}");
        }
    }
    // The URL goes in as a setting here: a variable given twice keeps its last value.
    let folder = super::folder_only();
    let server = Server::spawn_with(folder, &[("DATABASE_URL", &good), ("SIGNING_ALGORITHMS", "[\"ES256\"]")]);
    let client = server.client("orders:read");
    assert_eq!(server.token(&client).status, 200);
    let encrypted = "SELECT COUNT(*) AS n FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE datname = current_database() AND NOT ssl AND pid <> pg_backend_pid()";
    assert_eq!(database.numbers(encrypted), [0]);
    let all = "SELECT COUNT(*) AS n FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
               WHERE datname = current_database() AND ssl AND pid <> pg_backend_pid()";
    assert!(database.numbers(all)[0] >= 1);
}

/// The end of a short command and the making of a connection must not meet: OpenSSL takes its tables down at the end.
#[test]
fn commands_end_cleanly() {
    let database = Database::empty(Kind::Postgres);
    assert!(run(&mut command_on(&database, &[], &["init"])).status.success());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for arguments in [&["migrate"][..], &["doctor"], &["audit", "list"]].into_iter().cycle().take(30) {
                    let output = run(&mut command_on(&database, &[], arguments));
                    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
                }
            });
        }
    });
}
