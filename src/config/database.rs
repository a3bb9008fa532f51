//! The settings of the database.

use std::path::PathBuf;

use super::ConfigError;
use super::error::Problems;
use super::settings::Settings;
use crate::domain::size::Size;
use crate::domain::time::Duration;

/// SQLite on this machine, or PostgreSQL.
#[derive(Clone)]
pub enum DatabaseConfig {
    /// A SQLite file.
    Sqlite {
        /// The file; its folder is created if it is missing.
        file: PathBuf,
        /// The size of the connection pool.
        pool_size: u32,
        /// How long a list is searched before it returns what it has.
        list_time_limit: Duration,
        /// How much of its disk must be free for refusals to be stored.
        min_free_disk: Size,
    },
    /// A PostgreSQL server.
    Postgres {
        /// A libpq connection URI, with its password.
        url: String,
        /// The size of the connection pool.
        pool_size: u32,
        /// How long a list is searched before it returns what it has.
        list_time_limit: Duration,
    },
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { file, .. } => write!(f, "sqlite:{}", file.display()),
            Self::Postgres { url, .. } => f.write_str(&without_password(url)),
        }
    }
}

impl DatabaseConfig {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let pool_size = settings.database_pool_size;
        problems.require((1..=1000).contains(&pool_size), "database_pool_size", "must be 1 to 1000");
        let limit = settings.list_time_limit.parse::<Duration>();
        let limit = problems.take(limit.map_err(|wrong| ConfigError::setting("list_time_limit", wrong)));
        let is_short = limit.is_none_or(|limit| limit <= Duration::seconds(5));
        problems.require(is_short, "list_time_limit", "must be at most 5s");
        let free = settings.min_free_disk.parse::<Size>();
        let free = problems.take(free.map_err(|wrong| ConfigError::setting("min_free_disk", wrong)));
        let place = problems.take(Place::parse(settings));
        problems.finish(|| {
            let (list_time_limit, min_free_disk) = (limit?, free?);
            Some(match place? {
                Place::File(file) => Self::Sqlite { file, pool_size, list_time_limit, min_free_disk },
                Place::Server(url) => Self::Postgres { url, pool_size, list_time_limit },
            })
        })
    }
}

/// Where the database is.
enum Place {
    File(PathBuf),
    Server(String),
}

impl Place {
    fn parse(settings: &Settings) -> Result<Self, ConfigError> {
        match settings.database_url.as_deref() {
            None => Ok(Self::File(settings.data_dir.join("sealwright.db"))),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Server(with_timeouts(url)))
            }
            Some(url) => {
                let file = url.strip_prefix("sqlite:").ok_or("must begin with postgres:// or sqlite:").and_then(file);
                file.map(Self::File).map_err(|wrong| ConfigError::setting("database_url", wrong))
            }
        }
    }
}

/// Reads what follows `sqlite:`. Its path is all that is said of a file: elsewhere there are URLs with more in them.
fn file(text: &str) -> Result<PathBuf, &'static str> {
    let path = text.strip_prefix("//").unwrap_or(text);
    if path.contains(":memory:") || path.contains("mode=memory") {
        return Err("must name a file after sqlite:, since no database is kept in memory");
    }
    if path.is_empty() || path.ends_with('/') || path.starts_with("file:") || path.contains('?') {
        return Err("must have the path of a file after sqlite:, without file: and parameters");
    }
    Ok(path.into())
}

/// A server that does not respond or is gone must not hold a connection for minutes: libpq's parameters with their
/// values.
const TIMEOUTS: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "15000"),
    ("keepalives_idle", "15"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
];

/// Adds the parameters of [`TIMEOUTS`] that the URL does not set.
fn with_timeouts(url: &str) -> String {
    TIMEOUTS.iter().filter(|(name, _)| !url.contains(&format!("{name}="))).fold(url.to_owned(), |url, (name, value)| {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{name}={value}")
    })
}

/// Returns the URL for display, with its passwords hidden.
pub(super) fn without_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) => {
            if url.password().is_some() {
                let _ = url.set_password(Some("hidden"));
            }
            // libpq also reads a password from the parameters.
            let pairs: Vec<(String, String)> = url
                .query_pairs()
                .map(|(name, value)| {
                    let secret = name.eq_ignore_ascii_case("password") || name.eq_ignore_ascii_case("sslpassword");
                    (name.to_string(), if secret { "hidden".to_owned() } else { value.to_string() })
                })
                .collect();
            if !pairs.is_empty() {
                url.query_pairs_mut().clear().extend_pairs(pairs);
            }
            url.to_string()
        }
        Err(_) => "(not a URL)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_database_urls_are_hidden() {
        for url in ["postgres://u:s3cret@h/db", "postgres://u@h/db?password=s3cret&sslmode=require", "s3cret"] {
            assert!(!without_password(url).contains("s3cret"), "{url}");
        }
        assert!(without_password("postgres://u:x@h:5432/db?sslmode=require").contains("h:5432/db?sslmode=require"));
    }
}
