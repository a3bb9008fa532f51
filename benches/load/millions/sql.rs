//! SQL for both databases, beside the program.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection};

use super::{Failure, Options};

/// A connection of its own.
pub(crate) enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    t: String,
}

impl Database {
    pub(crate) fn open(options: &Options) -> Result<Self, Failure> {
        if let Some(url) = &options.database_url {
            return Ok(Self::Postgres(PgConnection::establish(url)?));
        }
        let mut connection = SqliteConnection::establish(&options.data_dir.join("sealwright.db").to_string_lossy())?;
        connection.batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; \
             PRAGMA wal_autocheckpoint = 100000",
        )?;
        Ok(Self::Sqlite(connection))
    }

    pub(crate) fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(sql)?,
            Self::Postgres(connection) => connection.batch_execute(sql)?,
        }
        Ok(())
    }

    fn texts(&mut self, sql: &str) -> Result<Vec<String>, Failure> {
        let query = diesel::sql_query(sql);
        let rows: Vec<Text> = match self {
            Self::Sqlite(connection) => query.load(connection)?,
            Self::Postgres(connection) => query.load(connection)?,
        };
        Ok(rows.into_iter().map(|row| row.t).collect())
    }

    pub(crate) fn count(&mut self, table: &str) -> Result<u64, Failure> {
        Ok(self.texts(&format!("SELECT CAST(COUNT(*) AS TEXT) AS t FROM {table}"))?.concat().parse()?)
    }

    /// The columns of a table but for some.
    pub(crate) fn columns(&mut self, table: &str, but: &[&str]) -> Result<Vec<String>, Failure> {
        let sql = match self {
            Self::Sqlite(_) => format!("SELECT name AS t FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => {
                format!("SELECT column_name::text AS t FROM information_schema.columns WHERE table_name = '{table}'")
            }
        };
        Ok(self.texts(&sql)?.into_iter().filter(|column| !but.contains(&column.as_str())).collect())
    }

    /// Bytes as a literal.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("CAST('\\x{hex}' AS BYTEA)"),
        }
    }

    /// The expression for the id of row `n`, as the seeds give them: its time is `first` and a tenth of a second for
    /// each row before it.
    pub(crate) fn id(&self, prefix: &str, first: u64, n: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("printf('{prefix}%012x7%019x', {first} + ({n}) * 100, {n})"),
            Self::Postgres(_) => format!(
                "'{prefix}' || lpad(to_hex({first} + ({n}) * 100), 12, '0') || '7' || lpad(to_hex({n}), 19, '0')"
            ),
        }
    }

    /// The expression for an event's id at a time.
    pub(crate) fn event_id(&self, millis: &str) -> String {
        let (digits, random) = match self {
            Self::Sqlite(_) => (format!("printf('%012x', {millis})"), "substr(lower(hex(randomblob(10))), 1, 19)"),
            Self::Postgres(_) => (format!("lpad(to_hex({millis}), 12, '0')"), "substr(md5(random()::text), 1, 19)"),
        };
        format!("'evt_' || {digits} || '7' || {random}")
    }

    /// Inserts rows that have some columns of their own, and all others as the row `original`.
    pub(crate) fn copy(&mut self, table: &str, original: &str, own: &[&str], rows: &[String]) -> Result<(), Failure> {
        let others = self.columns(table, own)?;
        let of_original = others.iter().map(|column| format!(", o.{column}")).collect::<Vec<_>>().concat();
        let others = others.iter().map(|column| format!(", {column}")).collect::<Vec<_>>().concat();
        let own = own.join(", ");
        for rows in rows.chunks(500) {
            let rows = rows.join(", ");
            self.execute(&format!(
                "WITH v ({own}) AS (VALUES {rows}) INSERT INTO {table} ({own}{others}) \
                 SELECT v.*{of_original} FROM v, {table} o WHERE o.id = '{original}'"
            ))?;
        }
        Ok(())
    }
}
