//! Throwaway databases.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::TestClient;
use super::template::{Content, Template};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file in the test's own folder.
    Sqlite,
    /// A database of its own on the server that `scripts/test` starts.
    Postgres,
}

/// A database and a data folder, both gone with it.
pub struct Database {
    /// Which.
    pub kind: Kind,
    /// The data folder's parent.
    pub folder: TempDir,
    url: Option<String>,
    template: Option<&'static Template>,
    connection: Mutex<Option<PgConnection>>,
}

impl Database {
    /// One that has its schema, signing keys and an owner in each environment.
    pub fn new(kind: Kind) -> Self {
        Self::copy_of(Template::of(kind, Content::Owners))
    }

    /// One that has its schema and signing keys.
    pub fn without_credentials(kind: Kind) -> Self {
        Self::copy_of(Template::of(kind, Content::Keys))
    }

    /// One without even a schema.
    pub fn empty(kind: Kind) -> Self {
        let url = (kind == Kind::Postgres).then(|| create_postgres(""));
        Self { kind, folder: folder(), url, template: None, connection: Mutex::default() }
    }

    fn copy_of(template: &'static Template) -> Self {
        let folder = folder();
        template.copy_files(&folder.path().join("data"));
        let url = template.name().map(|name| create_postgres(&format!("TEMPLATE {name}")));
        Self { kind: template.kind, folder, url, template: Some(template), connection: Mutex::default() }
    }

    /// The client that may do anything in an environment and was there from the start, if one was.
    pub fn owner(&self, environment: &str) -> Option<&'static TestClient> {
        self.template?.owner(environment)
    }

    /// Makes what a command needs that fills an empty database: the data folder, and on SQLite an empty file.
    pub fn make_place(&self) {
        std::fs::create_dir(self.data_dir()).unwrap();
        if self.kind == Kind::Sqlite {
            std::fs::write(self.data_dir().join("sealwright.db"), "").unwrap();
        }
    }

    /// Where the program keeps its files.
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
            Some(url) => self.postgres(url, |connection| connection.batch_execute(sql).unwrap()),
            None => self.sqlite().batch_execute(sql).unwrap(),
        }
    }

    /// A transaction of another process, which holds the lock that changes take first.
    pub fn begin_change(&self) -> OpenChange {
        const LOCK: &str = "UPDATE installation SET change_sequence = change_sequence + 1";
        match self.url() {
            Some(url) => {
                let mut connection = PgConnection::establish(url).unwrap();
                connection.batch_execute(&format!("BEGIN; {LOCK}")).unwrap();
                OpenChange::Postgres(connection)
            }
            None => {
                let mut connection = self.sqlite();
                connection.batch_execute(&format!("BEGIN IMMEDIATE; {LOCK}")).unwrap();
                OpenChange::Sqlite(connection)
            }
        }
    }

    /// A connection of its own, for transactions beside others.
    pub fn connect(&self) -> Box<dyn FnMut(&str) + Send> {
        match self.url() {
            Some(url) => {
                let mut connection = PgConnection::establish(url).unwrap();
                Box::new(move |sql| connection.batch_execute(sql).unwrap())
            }
            None => {
                let mut connection = self.sqlite();
                Box::new(move |sql| connection.batch_execute(sql).unwrap())
            }
        }
    }

    /// The rows of a query.
    pub fn rows<R>(&self, sql: &str) -> Vec<R>
    where
        R: diesel::QueryableByName<diesel::sqlite::Sqlite> + diesel::QueryableByName<diesel::pg::Pg> + 'static,
    {
        use diesel::RunQueryDsl as _;
        match self.url() {
            Some(url) => self.postgres(url, |connection| diesel::sql_query(sql).load(connection).unwrap()),
            None => diesel::sql_query(sql).load(&mut self.sqlite()).unwrap(),
        }
    }

    /// The first column of a query's rows, which it names `n`, as numbers.
    pub fn numbers(&self, sql: &str) -> Vec<i64> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        self.rows(sql).into_iter().map(|row: Row| row.n).collect()
    }

    /// The first column of a query's rows, which it names `t`, as texts.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            t: String,
        }
        self.rows(sql).into_iter().map(|row: Row| row.t).collect()
    }

    /// The columns of a table but for some.
    pub fn columns(&self, table: &str, but: &[&str]) -> Vec<String> {
        let sql = match self.kind {
            Kind::Sqlite => format!("SELECT name AS t FROM pragma_table_info('{table}')"),
            Kind::Postgres => {
                format!("SELECT column_name::text AS t FROM information_schema.columns WHERE table_name = '{table}'")
            }
        };
        let all = self.texts(&sql).into_iter();
        all.filter(|column| !but.contains(&column.as_str())).collect()
    }

    /// Connecting takes longer than any of these queries: the connection is kept.
    fn postgres<T>(&self, url: &str, run: impl FnOnce(&mut PgConnection) -> T) -> T {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        run(kept.get_or_insert_with(|| PgConnection::establish(url).unwrap()))
    }

    fn sqlite(&self) -> SqliteConnection {
        let file = self.data_dir().join("sealwright.db");
        let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        connection
    }
}

/// A change that another process makes: SQL, and what it announces.
pub enum OpenChange {
    /// On SQLite.
    Sqlite(SqliteConnection),
    /// On PostgreSQL.
    Postgres(PgConnection),
}

impl OpenChange {
    /// Runs `sql`, announces that `subject` has changed, and commits.
    pub fn commit(mut self, sql: &str, kind: &str, subject: &str) {
        let announce = format!(
            "INSERT INTO change_log (sequence, changed_at, kind, subject)
                 SELECT change_sequence, 4000000000000, '{kind}', '{subject}' FROM installation"
        );
        let sql = format!("{sql}; {announce}; COMMIT");
        match &mut self {
            Self::Sqlite(connection) => connection.batch_execute(&sql).unwrap(),
            Self::Postgres(connection) => connection.batch_execute(&sql).unwrap(),
        }
    }
}

/// The URL of the PostgreSQL server that tests make their databases on.
pub fn postgres_server() -> String {
    std::env::var("SEALWRIGHT_TEST_POSTGRES_URL")
        .expect("SEALWRIGHT_TEST_POSTGRES_URL is not set: run the tests by scripts/test, which starts PostgreSQL")
}

/// A folder of the test's own: where `scripts/test` says that files cost no disk, if it does.
fn folder() -> TempDir {
    match std::env::var_os("SEALWRIGHT_TEST_FOLDER") {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    }
}

/// Makes a database with these options of `CREATE DATABASE`.
fn create_postgres(options: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = postgres_server();
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let sql = format!("CREATE DATABASE {name} {options}");
    PgConnection::establish(&server).unwrap().batch_execute(&sql).unwrap();
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
