//! Prints the output of commands: objects as aligned lines, lists as tables, or both as the API's JSON.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::CliError;

/// Prints a line to standard output. A closed pipe is not a failure.
pub fn line(text: &str) {
    let _closed = writeln!(std::io::stdout(), "{text}");
}

/// Prints a text that ends its own lines to standard output. A closed pipe is not a failure.
pub fn text(bytes: &[u8]) {
    let _closed = std::io::stdout().write_all(bytes);
}

/// Prints an error to standard error.
pub fn error(as_json: bool, code: &str, message: &str) {
    let text = if as_json {
        json!({"error": {"code": code, "message": message}}).to_string()
    } else {
        format!("error: {message}")
    };
    let _closed = writeln!(std::io::stderr(), "{text}");
}

/// Prints a remark to standard error, so that scripts do not read it.
pub fn remark(text: &str) {
    let _closed = writeln!(std::io::stderr(), "{text}");
}

/// Converts a view to the JSON that the API shows.
pub fn shown(view: &impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}

/// Prints one object, a member per line, or as JSON.
pub fn object(as_json: bool, value: &Value) {
    if as_json {
        return line(&value.to_string());
    }
    let Some(members) = value.as_object() else { return line(&plain(value)) };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in members {
        line(&format!("{name:width$}  {}", plain(value)));
    }
}

/// Prints a list as a table of the members `columns`, or as JSON.
pub fn list(as_json: bool, values: &[Value], columns: &[&str]) {
    if as_json {
        return line(&json!({"data": values, "next_cursor": null}).to_string());
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(columns.iter().map(|column| column.to_uppercase()));
    for value in values {
        table.add_row(columns.iter().map(|column| plain(value.get(column).unwrap_or(&Value::Null))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for row in table.lines() {
        line(row.trim_end());
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        // A customer in a list, as APIs call it.
        Value::Object(members) if members.contains_key("external_id") => plain(&members["external_id"]),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Reads the first line of standard input, for secrets that must not be on a command line.
///
/// # Errors
/// Standard input is empty.
pub fn first_line_of_input() -> Result<Zeroizing<String>, CliError> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().read_line(&mut line)?;
    let text = line.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(CliError::Usage("standard input is empty".to_owned()));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Asks for a new password, twice and without showing it. Without a terminal it is the first line of standard input.
///
/// # Errors
/// Standard input is empty, or the two passwords differ.
pub fn new_password() -> Result<Zeroizing<String>, CliError> {
    if !std::io::stdin().is_terminal() {
        return first_line_of_input()
            .map_err(|_| CliError::Usage("--password-file is required where there is no terminal".to_owned()));
    }
    let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
    let second = Zeroizing::new(rpassword::prompt_password("Repeat password: ")?);
    if first == second { Ok(first) } else { Err(CliError::Usage("the two passwords differ".to_owned())) }
}
