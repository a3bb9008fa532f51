//! The commands `sealwright config …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, output};
use crate::config::{Config, Flags};
use crate::http::check_tls;

#[derive(Subcommand)]
pub enum Command {
    /// Print the effective settings and their sources, with secrets hidden
    Check,
}

pub fn run(flags: &Flags, json: bool, command: &Command) -> Result<(), CliError> {
    match command {
        Command::Check => {
            let config = Config::load(flags)?;
            config.issuers(config.server.listen)?;
            if let Some(files) = &config.server.tls {
                check_tls(files).map_err(|error| CliError::Usage(error.to_string()))?;
            }
            if json {
                let settings: serde_json::Map<String, Value> = config
                    .shown()
                    .iter()
                    .map(|shown| (shown.name.to_owned(), json!({"value": shown.value, "source": shown.source})))
                    .collect();
                output::line(&Value::Object(settings).to_string());
                return Ok(());
            }
            let rows: Vec<Value> = config
                .shown()
                .iter()
                .map(|shown| json!({"setting": shown.name, "value": shown.value, "source": shown.source}))
                .collect();
            output::list(false, &rows, &["setting", "value", "source"]);
            Ok(())
        }
    }
}
