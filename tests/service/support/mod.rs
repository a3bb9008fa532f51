//! The harness: databases that are copied, servers in this process or as processes of their own, and their clients.

mod beside;
mod copies;
mod credentials;
mod database;
mod events;
pub mod in_process;
mod ports;
mod process;
pub mod programs;
pub mod raw;

mod requests;
mod response;
mod server;
mod settings;
mod template;
mod time;
mod waiting;

pub use credentials::{TestClient, TestKey};
pub use database::{Database, Kind};
pub use in_process::Work;
pub use ports::free_port;
pub use process::{binary, run, run_json, uid};
pub use response::Response;
pub use server::Server;
pub use time::{from_rfc3339, rfc3339, system_now};
pub use waiting::{eventually, holds_within, pause};

/// The same test on SQLite and on PostgreSQL. A missing PostgreSQL is a failure, never a skip. `(database)` is one with
/// an owner in each environment; `(database: empty)` and `(database: without_credentials)` are what [`Database`] says.
macro_rules! both {
    ($($(#[$attribute:meta])* fn $name:ident($database:ident $(: $content:ident)?) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn test($database: crate::support::Database) $body

            #[test]
            fn sqlite() {
                test(crate::support::new_database!($($content)?)(crate::support::Kind::Sqlite));
            }

            #[test]
            fn postgres() {
                test(crate::support::new_database!($($content)?)(crate::support::Kind::Postgres));
            }
        }
    )*};
}
macro_rules! new_database {
    () => {
        crate::support::Database::new
    };
    ($content:ident) => {
        crate::support::Database::$content
    };
}
pub(crate) use {both, new_database};
