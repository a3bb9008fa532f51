//! The commands `sealwright config …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, check, output};
use crate::config::{Config, Flags};

#[derive(Subcommand)]
pub enum Command {
    /// Print the effective settings and their sources, with secrets hidden, or name those that `serve` would fail on
    Check,
}

pub fn run(flags: &Flags, json: bool, command: &Command) -> Result<(), CliError> {
    match command {
        Command::Check => {
            let config = Config::load(flags)?;
            let problems = check::problems(&config, flags.force);
            if !problems.is_empty() {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return Err(CliError::Settings(problems.join("; ")));
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
