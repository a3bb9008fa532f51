//! Throwaway databases.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file in the test's own folder.
    Sqlite,
    /// A database of its own on the server that `scripts/test` starts.
    Postgres,
}

/// An empty database and a data folder, both gone with it.
pub struct Database {
    /// Which.
    pub kind: Kind,
    /// The data folder.
    pub folder: TempDir,
    url: Option<String>,
}

impl Database {
    /// A new one.
    pub fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = (kind == Kind::Postgres).then(create_postgres);
        Self { kind, folder, url }
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The URL for the program, if it is not the default.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Runs SQL on it, beside the server.
    pub fn execute(&self, sql: &str) {
        match self.url() {
            Some(url) => PgConnection::establish(url).unwrap().batch_execute(sql).unwrap(),
            None => {
                let file = self.data_dir().join("sealwright.db");
                let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
                connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                connection.batch_execute(sql).unwrap();
            }
        }
    }

    /// The first column of a query's rows, as numbers.
    pub fn numbers(&self, sql: &str) -> Vec<i64> {
        use diesel::RunQueryDsl as _;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let rows: Vec<Row> = match self.url() {
            Some(url) => diesel::sql_query(sql).load(&mut PgConnection::establish(url).unwrap()).unwrap(),
            None => {
                let file = self.data_dir().join("sealwright.db");
                diesel::sql_query(sql).load(&mut SqliteConnection::establish(file.to_str().unwrap()).unwrap()).unwrap()
            }
        };
        rows.into_iter().map(|row| row.n).collect()
    }
}

/// The URL of the PostgreSQL server that tests make their databases on.
pub fn postgres_server() -> String {
    std::env::var("SEALWRIGHT_TEST_POSTGRES_URL")
        .expect("SEALWRIGHT_TEST_POSTGRES_URL is not set: run the tests by scripts/test, which starts PostgreSQL")
}

fn create_postgres() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = postgres_server();
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    PgConnection::establish(&server).unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(url) = &self.url {
            let (_, name) = url.rsplit_once('/').unwrap();
            if let Ok(mut connection) = PgConnection::establish(&postgres_server()) {
                let _ = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
        }
    }
}
