//! The harness: starts the real binary on a database of its own, on a free port, in a throwaway folder, and stops it.

mod database;
pub mod programs;
pub mod raw;
mod server;

pub use database::{Database, Kind};
pub use server::{Answer, Server, TestClient, TestKey, binary, run, run_json};

/// The same test on SQLite and on PostgreSQL. A missing PostgreSQL is a failure, never a skip.
macro_rules! both {
    ($($(#[$attribute:meta])* fn $name:ident($database:ident) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn test($database: crate::support::Database) $body

            #[test]
            fn sqlite() {
                test(crate::support::Database::new(crate::support::Kind::Sqlite));
            }

            #[test]
            fn postgres() {
                test(crate::support::Database::new(crate::support::Kind::Postgres));
            }
        }
    )*};
}
pub(crate) use both;
