//! What PostgreSQL ends by itself: statements that take too long, and one of two transactions that wait for each other.

use std::cell::RefCell;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _};

use super::{OwnPostgres, command_on, folder_only};
use crate::support::{Database, Kind, Server, Work, eventually, run_json};

/// Fails where the time of the current statement is limited.
const REFUSE_A_LIMIT: &str = "IF current_setting('statement_timeout') <> '0' \
     OR current_setting('lock_timeout') <> '0' THEN RAISE EXCEPTION 'the time is limited'; END IF;";

/// Building an index, and filling a table from a backup, take minutes where there are millions of rows.
#[test]
fn migrations_and_restores_may_take_as_long_as_they_need() {
    let server = Server::spawn(Database::without_credentials(Kind::Sqlite));
    server.client("orders:read");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy");
    server.cli(&["backup", "--output", file.to_str().unwrap()]);

    let (postgres, folder) = (OwnPostgres::start_new(), folder_only());
    let url = postgres.url();
    let run = |arguments: &[&str]| run_json(command_on(&folder, &[("DATABASE_URL", &url)], arguments).arg("--json"));
    let mut connection = PgConnection::establish(&url).unwrap();
    connection
        .batch_execute(&format!(
            "CREATE FUNCTION refuse_a_limit() RETURNS event_trigger LANGUAGE plpgsql \
                 AS $$ BEGIN {REFUSE_A_LIMIT} END $$; \
             CREATE EVENT TRIGGER refuse_a_limit ON ddl_command_end \
                 WHEN TAG IN ('CREATE INDEX', 'ALTER TABLE') EXECUTE FUNCTION refuse_a_limit()"
        ))
        .unwrap();
    assert_eq!(run(&["migrate"])["applied"].as_array().unwrap().len(), 1);
    connection
        .batch_execute(&format!(
            "CREATE FUNCTION refuse_a_row() RETURNS trigger LANGUAGE plpgsql \
                 AS $$ BEGIN {REFUSE_A_LIMIT} RETURN NEW; END $$; \
             CREATE TRIGGER refuse_a_row BEFORE INSERT ON credentials FOR EACH ROW EXECUTE FUNCTION refuse_a_row(); \
             CREATE TRIGGER refuse_a_row BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_a_row()"
        ))
        .unwrap();
    let restored = run(&["restore", "--input", file.to_str().unwrap()]);
    assert!(restored["rows"].as_u64().unwrap() > 10, "{restored}");
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    t: String,
}

/// Others lock secrets in another order, as a change of many credentials does. Uses that could not be stored are stored
/// later.
#[test]
fn the_last_use_survives_a_deadlock() {
    let postgres = OwnPostgres::start_new();
    let server = Server::start_with(folder_only(), &[("DATABASE_URL", &postgres.url())]);
    let clients = [server.client("orders:read"), server.client("orders:read")];
    let connection = RefCell::new(PgConnection::establish(&postgres.url()).unwrap());
    let execute = |sql: &str| connection.borrow_mut().batch_execute(sql).unwrap();
    let texts = |sql: &str| -> Vec<String> {
        let rows: Vec<Row> = diesel::sql_query(sql).load(&mut *connection.borrow_mut()).unwrap();
        rows.into_iter().map(|row| row.t).collect()
    };
    let secrets = texts("SELECT id AS t FROM credential_secrets ORDER BY id");
    let [first, second] = [&secrets[secrets.len() - 2], &secrets[secrets.len() - 1]];
    let lock = |secret: &str| execute(&format!("UPDATE credential_secrets SET prefix = '' WHERE id = '{secret}'"));
    // The server's transaction is the one that is ended: it looks for deadlocks earlier.
    execute("SET deadlock_timeout = '20s'; BEGIN");
    lock(second);
    for client in &clients {
        assert_eq!(server.token(client).status, 200);
    }
    eventually("the server waits for the second", Duration::from_secs(10), || {
        !texts("SELECT 'waits' AS t FROM pg_locks WHERE NOT granted").is_empty()
    });
    lock(first);
    execute("COMMIT");
    eventually("both are stored", Duration::from_secs(10), || {
        server.work(Work::StoreNotes);
        let unused = format!(
            "SELECT id AS t FROM credential_secrets WHERE id IN ('{first}', '{second}') \
                              AND last_used_at IS NULL"
        );
        texts(&unused).is_empty()
    });
}
