//! The log: `env_logger`, apart from what peers did wrong before there was a request. Such lines are counted and logged
//! as `debug`, since everyone who reaches the port can cause them. Lines of libraries are logged without secrets.

use std::io::Write as _;

use env_logger::{Env, Logger, Target};
use log::kv::{Key, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::{Map, Value};

use super::CliError;
use super::log_pipe::LogPipe;
use crate::config::{Config, LogFormat};
use crate::domain::text::without_secrets;
use crate::http::UnreadHeads;

/// Starts the log of a command, with `fallback` as its filter unless the settings have another.
pub fn start(config: &Config, fallback: &str) -> UnreadHeads {
    let filter = if config.log.filter == "info" { fallback } else { &config.log.filter };
    install(builder(filter, config.log.format).build())
}

/// Starts the log of a server, which delays no request.
///
/// # Errors
/// The system cannot start a thread.
pub fn start_for_server(config: &Config) -> Result<(LogPipe, UnreadHeads), CliError> {
    let pipe = LogPipe::start()?;
    let heads =
        install(builder(&config.log.filter, config.log.format).target(Target::Pipe(Box::new(pipe.clone()))).build());
    Ok((pipe, heads))
}

fn builder(filter: &str, format: LogFormat) -> env_logger::Builder {
    let mut builder = env_logger::Builder::from_env(Env::default().default_filter_or(filter));
    match format {
        LogFormat::Text => builder.format_timestamp_millis(),
        LogFormat::Json => builder.format(|line, record| {
            let time = line.timestamp_millis().to_string();
            writeln!(line, "{}", as_json(&time, record))
        }),
    };
    builder
}

/// Converts a record to an object: `time`, `level`, `target`, `message`, and what the record has beside its message.
fn as_json(time: &str, record: &Record<'_>) -> Value {
    let mut members = Members(Map::new());
    // Visiting a record that is in memory does not fail.
    let _infallible = record.key_values().visit(&mut members);
    let Members(mut members) = members;
    for (name, text) in [
        ("time", time.to_owned()),
        ("level", record.level().as_str().to_lowercase()),
        ("target", record.target().to_owned()),
        ("message", record.args().to_string()),
    ] {
        members.insert(name.to_owned(), Value::String(text));
    }
    Value::Object(members)
}

/// What a record has beside its message.
struct Members(Map<String, Value>);

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        let number = value.to_u64().map(Value::from).or_else(|| value.to_i64().map(Value::from));
        let plain = number.or_else(|| value.to_bool().map(Value::from));
        self.0.insert(key.as_str().to_owned(), plain.unwrap_or_else(|| Value::String(value.to_string())));
        Ok(())
    }
}

fn install(logger: Logger) -> UnreadHeads {
    let heads = UnreadHeads::default();
    // Errors pass whatever the filter is: they are counted also where they are not shown.
    let level = logger.filter().max(LevelFilter::Error);
    if log::set_boxed_logger(Box::new(PeersApart { logger, heads: heads.clone() })).is_ok() {
        log::set_max_level(level);
    }
    heads
}

struct PeersApart {
    logger: Logger,
    heads: UnreadHeads,
}

impl Log for PeersApart {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == Level::Error || self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let is_a_peers = record.level() == Level::Error && self.heads.notice(record);
        let level = if is_a_peers { Level::Debug } else { record.level() };
        let record = record.to_builder().level(level).build();
        if record.target().starts_with("sealwright") || !self.logger.matches(&record) {
            return self.logger.log(&record);
        }
        // Libraries log what they cannot read of a head, such as the value of a field.
        let text = record.args().to_string();
        self.logger.log(&record.to_builder().args(format_args!("{}", without_secrets(&text))).build());
    }

    fn flush(&self) {
        self.logger.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_object_whatever_it_says() {
        let pairs: [(&str, log::kv::Value<'_>); 4] = [
            ("status", 200_u16.into()),
            ("path", "/a\n\"b\"".into()),
            ("is_late", true.into()),
            ("time", "not the record's".into()),
        ];
        let record = Record::builder().level(Level::Warn).target("here").args(format_args!("one\ntwo")).build();
        let record = record.to_builder().key_values(&pairs).build();
        let line = as_json("2026-01-01T00:00:00.000Z", &record).to_string();
        assert!(!line.contains('\n'), "{line}");
        let expected = serde_json::json!({
            "time": "2026-01-01T00:00:00.000Z", "level": "warn", "target": "here", "message": "one\ntwo",
            "status": 200, "path": "/a\n\"b\"", "is_late": true,
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }
}
