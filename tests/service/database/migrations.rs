//! The schema: the same in both databases and in the code, made once however many start, and never guessed at.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use diesel::{Connection as _, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use super::{command_on, refusal};
use crate::support::{Database, Kind, Server, both, eventually, free_port, run, run_json};

/// Columns by table and name: what they are, whether they may be null, and their place in the primary key from 1.
type Schema = BTreeMap<String, BTreeMap<String, (String, bool, usize)>>;

fn migrated(kind: Kind) -> Database {
    let database = Database::empty(kind);
    database.make_place();
    run_json(command_on(&database, &[], &["migrate"]).arg("--json"));
    database
}

/// The schema of a database, by the names that diesel has for types.
fn schema_of(database: &Database) -> Schema {
    // Within a line: table, column, type, whether it may be null, place in the primary key.
    let rows = database.texts(match database.kind {
        Kind::Sqlite => {
            "SELECT m.name || ' ' || c.name || ' ' || c.type || ' ' || (1 - c.\"notnull\") || ' ' || c.pk AS t \
                 FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        }
        Kind::Postgres => {
            "SELECT c.table_name || ' ' || c.column_name || ' ' || replace(c.data_type, ' ', '_') || ' ' \
                 || CASE c.is_nullable WHEN 'YES' THEN 1 ELSE 0 END || ' ' || COALESCE(( \
                 SELECT k.ordinal_position FROM information_schema.table_constraints p \
                 JOIN information_schema.key_column_usage k USING (constraint_name, table_schema) \
                 WHERE p.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name \
                 AND k.column_name = c.column_name), 0) AS t \
                 FROM information_schema.columns c WHERE c.table_schema = current_schema()"
        }
    });
    let mut schema = Schema::new();
    for row in rows {
        let [table, column, kind, nullable, key] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        // Tables of diesel and of SQLite's `AUTOINCREMENT`.
        if ["__diesel_schema_migrations", "sqlite_sequence"].contains(&table) {
            continue;
        }
        let kind = match kind.to_lowercase().as_str() {
            // SQLite's own number of a row: it has 64 bits, and must be declared so.
            "integer" if (table, column) == ("audit_log", "serial") => "BigInt",
            "integer" => "Integer",
            "bigint" => "BigInt",
            "text" => "Text",
            "blob" | "bytea" => "Binary",
            other => panic!("{table}.{column}: {other} is no portable type"),
        };
        let key: usize = key.parse().unwrap();
        // SQLite lets columns of a primary key be null unless told; nothing here stores a null there.
        let nullable = nullable == "1" && key == 0;
        schema.entry(table.to_owned()).or_default().insert(column.to_owned(), (kind.to_owned(), nullable, key));
    }
    schema
}

/// The schema as the code has it.
fn schema_of_code() -> Schema {
    let source = std::fs::read_to_string("src/store/schema.rs").unwrap();
    let mut schema = Schema::new();
    for table in source.split("diesel::table! {").skip(1) {
        let (head, rest) = table.split_once('{').unwrap();
        let (columns, _) = rest.split_once('}').unwrap();
        let (name, key) = head.trim().split_once(" (").unwrap();
        let key: Vec<&str> = key.trim_end_matches(')').split(", ").collect();
        for column in columns.lines().map(str::trim).filter(|line| line.contains("->")) {
            let (column, kind) = column.trim_end_matches(',').split_once(" -> ").unwrap();
            let inner = kind.strip_prefix("Nullable<").map(|kind| kind.trim_end_matches('>'));
            let place = key.iter().position(|name| *name == column).map_or(0, |place| place + 1);
            let found = (inner.unwrap_or(kind).to_owned(), inner.is_some(), place);
            schema.entry(name.to_owned()).or_default().insert(column.to_owned(), found);
        }
    }
    schema
}

fn indexes(database: &Database) -> Vec<String> {
    database.texts(match database.kind {
        Kind::Sqlite => {
            "SELECT name || ' ' || tbl_name AS t FROM sqlite_master \
                 WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1"
        }
        Kind::Postgres => {
            "SELECT indexname || ' ' || tablename AS t FROM pg_indexes WHERE schemaname = current_schema() \
                 AND indexdef NOT LIKE 'CREATE UNIQUE%' ORDER BY 1"
        }
    })
}

#[test]
fn both_databases_and_the_code_have_the_same_schema() {
    let (sqlite, postgres) = (migrated(Kind::Sqlite), migrated(Kind::Postgres));
    let code = schema_of_code();
    assert!(code.len() >= 9 && code["idempotency_keys"]["idempotency_key"].2 == 2, "{code:#?}");
    assert_eq!(schema_of(&sqlite), code, "SQLite");
    assert_eq!(schema_of(&postgres), code, "PostgreSQL");
    assert_eq!(indexes(&sqlite), indexes(&postgres));
    let names = |tree: &str| {
        let mut names: Vec<_> =
            std::fs::read_dir(format!("migrations/{tree}")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

both! {
    /// Every migration can be taken back.
    fn up_and_down_leaves_nothing(database: empty) {
        fn up_and_down<C, DB>(connection: &mut C, folder: &str)
        where
            C: MigrationHarness<DB>,
            DB: diesel::backend::Backend,
        {
            for _ in 0..2 {
                let migrations = || FileBasedMigrations::from_path(folder).unwrap();
                assert!(!connection.run_pending_migrations(migrations()).unwrap().is_empty());
                connection.revert_all_migrations(migrations()).unwrap();
            }
        }
        match database.url() {
            Some(url) => up_and_down(&mut PgConnection::establish(url).unwrap(), "migrations/postgres"),
            None => {
                std::fs::create_dir(database.data_dir()).unwrap();
                let file = database.data_dir().join("sealwright.db");
                up_and_down(&mut SqliteConnection::establish(file.to_str().unwrap()).unwrap(), "migrations/sqlite");
            }
        }
        assert_eq!(schema_of(&database), Schema::new());
        assert_eq!(indexes(&database), Vec::<String>::new());
        // And it can be used again.
        let applied = run_json(command_on(&database, &[], &["migrate"]).arg("--json"));
        assert_eq!(
            applied["applied"].as_array().unwrap().len(),
            std::fs::read_dir("migrations/sqlite").unwrap().count()
        );
        assert_eq!(schema_of(&database), schema_of_code());
        let again = run_json(command_on(&database, &[], &["migrate"]).arg("--json"));
        assert_eq!(again["applied"], serde_json::json!([]));
    }

    /// Nodes that start together on an empty database make one schema, one set of keys, and all serve.
    fn servers_that_start_together_do_not_collide(database: empty) {
        struct Node(Child, String);
        impl Drop for Node {
            fn drop(&mut self) {
                let _ = self.0.kill();
                let _ = self.0.wait();
            }
        }
        let log = database.folder.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let nodes: Vec<Node> = (0..6)
            .map(|_| {
                let listen = format!("127.0.0.1:{}", free_port());
                let settings = [
                    ("LISTEN", listen.as_str()),
                    ("SIGNING_ALGORITHMS", "[\"ES256\"]"),
                    ("PUBLIC_URL", "http://localhost:8080"),
                    ("LOG", "warn"),
                ];
                let mut command = command_on(&database, &settings, &["serve"]);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file.try_clone().unwrap());
                Node(command.spawn().unwrap(), format!("http://{listen}"))
            })
            .collect();
        let http = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let mut key_sets = Vec::new();
        for node in &nodes {
            eventually("a server starts", Duration::from_secs(60), || {
                let said = std::fs::read_to_string(&log).unwrap();
                assert!(!said.contains("error: "), "a server did not start: {said}");
                let response = http.get(format!("{}/.well-known/jwks.json", node.1)).send();
                response.map(|response| key_sets.push(response.text().unwrap())).is_ok()
            });
        }
        assert!(key_sets.iter().all(|keys| *keys == key_sets[0]), "{key_sets:#?}");
        assert_eq!(database.numbers("SELECT COUNT(*) AS n FROM signing_keys"), [3]);
        let made = run_json(
            command_on(&database, &[("PUBLIC_URL", "http://localhost:8080")], &["client", "create", "--name", "n"])
                .args(["--scope", "orders:read", "--json"]),
        );
        for node in &nodes {
            let request = http.post(format!("{}/api/oauth/token", node.1));
            let request = request.basic_auth(made["client_id"].as_str().unwrap(), made["client_secret"].as_str());
            assert_eq!(request.form(&[("grant_type", "client_credentials")]).send().unwrap().status(), 200);
        }
    }

    fn an_empty_database_is_refused_by_name_where_migrating_is_not_wanted(database: empty) {
        let said = refusal(command_on(&database, &[("LISTEN", "127.0.0.1:0")], &["serve", "--no-migrate"]));
        assert!(said.contains("schema") && said.contains("empty") && said.contains("migrate"), "{said}");
        assert_eq!(schema_of(&database), Schema::new(), "nothing was made");
        run_json(command_on(&database, &[], &["migrate"]).arg("--json"));
        let port = free_port();
        let mut command =
            command_on(&database, &[("LISTEN", &format!("127.0.0.1:{port}"))], &["serve", "--no-migrate"]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("the server listens", Duration::from_secs(30), || {
            assert!(child.try_wait().unwrap().is_none(), "it did not start");
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A schema that was replaced before the first release cannot be migrated, and is not newer.
    fn a_schema_of_an_earlier_build_is_refused_as_one(database: without_credentials) {
        database.execute("UPDATE __diesel_schema_migrations SET version = '20200101000000'");
        for arguments in [&["serve"][..], &["serve", "--no-migrate"], &["migrate"], &["client", "list"]] {
            let said = refusal(command_on(&database, &[("LISTEN", "127.0.0.1:0")], arguments));
            assert!(said.contains("20200101000000") && said.contains("earlier build"), "{arguments:?}: {said}");
            assert!(!said.contains("newer"), "{arguments:?}: {said}");
        }
        let doctor = run(&mut command_on(&database, &[], &["doctor"]));
        assert_eq!(doctor.status.code(), Some(1));
        let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(said.contains("20200101000000") && said.contains("earlier build"), "{said}");
    }

    /// A schema of a newer release is nothing to try one's luck on.
    fn a_newer_schema_is_refused_by_name(database: empty) {
        let server = Server::spawn_with(database, &[("SIGNING_ALGORITHMS", "[\"ES256\"]")]);
        server.database.execute(
            "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29991231235959', CURRENT_TIMESTAMP)",
        );
        let backup = server.database.folder.path().join("backup");
        let backup = backup.to_str().unwrap();
        let events = server.database.numbers("SELECT COUNT(*) AS n FROM audit_log");
        for arguments in [
            &["serve"][..],
            &["serve", "--no-migrate"],
            &["migrate"],
            &["client", "list"],
            &["client", "create", "--name", "n", "--scope", "read"],
            &["signing-key", "rotate"],
            &["audit", "list"],
            &["backup", "--output", backup],
        ] {
            let mut command = server.command(arguments);
            // The running server has its port.
            command.env("SEALWRIGHT_LISTEN", format!("127.0.0.1:{}", free_port()));
            let said = refusal(command);
            assert!(said.contains("29991231235959") && said.contains("newer release"), "{arguments:?}: {said}");
        }
        let doctor = run(server.command(&["doctor"]).arg("--json"));
        assert_eq!(doctor.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&doctor.stdout).contains("29991231235959"));
        assert_eq!(server.database.numbers("SELECT COUNT(*) AS n FROM audit_log"), events);
    }
}
