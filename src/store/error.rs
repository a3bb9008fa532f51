//! Why queries and transactions fail.

/// Why a query failed. Every function of this layer can return [`StoreError::Unavailable`]; `# Errors` sections name
/// only the cases beyond it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or refuses the query.
    #[error("database: {0}")]
    Unavailable(String),
    /// A row with this unique key exists.
    #[error("database: a row with this key exists")]
    Duplicate,
    /// A column has a value that cannot be converted.
    #[error("database: table {table}, row {row}: column {column} is damaged")]
    Damaged {
        /// Table.
        table: &'static str,
        /// Primary key.
        row: String,
        /// Column.
        column: &'static str,
    },
    /// Another process has taken over the lease of a background loop: what this process would write is refused.
    #[error("another process has taken over the lease \"{0}\": this write is refused")]
    LeaseLost(String),
    /// A file of a backup cannot be read or written, or is damaged.
    #[error("{0}")]
    File(String),
    /// Another release made the schema.
    #[error("the database's schema has {0}")]
    SchemaUnknown(UnknownMigration),
    /// The schema lacks migrations.
    #[error(
        "the database's schema lacks migration {0}: \
         run `sealwright migrate`, or `sealwright serve` without --no-migrate"
    )]
    SchemaTooOld(String),
}

/// A migration of the schema that this release does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("migration {version}, which this release does not know: it was made by {}", self.maker())]
pub struct UnknownMigration {
    /// The stamp of the migration.
    pub version: String,
    /// Whether it is newer than all that this release has. From the first release on, no migration is taken back.
    pub is_newer: bool,
}

impl UnknownMigration {
    const fn maker(&self) -> &'static str {
        if self.is_newer { "a newer release" } else { "an earlier build, whose databases cannot be migrated" }
    }
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Duplicate,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Why a transaction was rolled back.
pub(super) enum Failed<E> {
    Own(E),
    Database(diesel::result::Error),
}

impl<E: From<StoreError>> Failed<E> {
    pub(super) fn into_error(self) -> E {
        match self {
            Self::Own(error) => error,
            Self::Database(error) => StoreError::from(error).into(),
        }
    }
}

impl<E> From<diesel::result::Error> for Failed<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

/// Creates the error for a damaged column.
pub(super) fn damaged(table: &'static str, row: &str, column: &'static str) -> StoreError {
    StoreError::Damaged { table, row: row.to_owned(), column }
}
