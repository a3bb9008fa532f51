//! The log: `env_logger`, apart from what peers did wrong before there was a request. Such lines are counted and logged
//! as `debug`, since everyone who reaches the port can cause them. Lines of libraries are logged without secrets.

use env_logger::{Env, Logger, Target};
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::CliError;
use super::log_pipe::LogPipe;
use crate::config::Config;
use crate::domain::text::without_secrets;
use crate::http::UnreadHeads;

/// Starts the log of a command, with `fallback` as its filter unless the settings have another.
pub fn start(config: &Config, fallback: &str) -> UnreadHeads {
    let filter = if config.log == "info" { fallback } else { &config.log };
    install(builder(filter).build())
}

/// Starts the log of a server, which delays no request.
///
/// # Errors
/// The system cannot start a thread.
pub fn start_for_server(config: &Config) -> Result<(LogPipe, UnreadHeads), CliError> {
    let pipe = LogPipe::start()?;
    let heads = install(builder(&config.log).target(Target::Pipe(Box::new(pipe.clone()))).build());
    Ok((pipe, heads))
}

fn builder(filter: &str) -> env_logger::Builder {
    let mut builder = env_logger::Builder::from_env(Env::default().default_filter_or(filter));
    builder.format_timestamp_millis();
    builder
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
