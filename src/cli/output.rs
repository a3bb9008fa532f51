//! Prints the output of commands: objects as aligned lines, lists as tables, or both as the API's JSON.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::presets::NOTHING;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::CliError;
use crate::domain::text::without_secrets;

/// Prints a line to standard output. A closed pipe is not a failure.
pub fn line(text: &str) {
    let _closed = written(text);
}

/// Prints a line to standard output, and returns whether that takes more.
pub fn written(text: &str) -> bool {
    writeln!(std::io::stdout(), "{text}").is_ok()
}

/// Prints a part of a line to standard output.
fn part(text: &str) {
    let _closed = write!(std::io::stdout(), "{text}");
}

/// Prints a text that ends its own lines to standard output. A closed pipe is not a failure.
pub fn text(bytes: &[u8]) {
    let _closed = std::io::stdout().write_all(bytes);
}

/// Prints an error to standard error, without secrets that it may repeat from the command line.
pub fn error(as_json: bool, code: &str, message: &str) {
    let message = without_secrets(message);
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
    let Some(members) = value.as_object() else { return line(&plain("", value)) };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in members {
        let mut name = name.as_str();
        for text in lines_of(name, value) {
            line(&format!("{name:width$}  {text}"));
            name = "";
        }
    }
}

/// Returns the lines of a member: one for each object of a list, otherwise one.
fn lines_of(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().map(|item| named(item).unwrap_or_else(|| plain(name, item))).collect()
        }
        other => vec![plain(name, other)],
    }
}

/// Returns a customer of a list as APIs and as people call it.
fn named(value: &Value) -> Option<String> {
    Some(format!("{} ({})", value.get("external_id")?.as_str()?, value.get("name")?.as_str()?))
}

/// Prints a whole list as a table of the members `columns`, or as JSON.
pub fn list(as_json: bool, values: &[Value], columns: &[&str]) {
    let mut table = Table::new(as_json, columns);
    table.add(values);
    table.end(None);
}

/// A list that is printed part by part: as a table of some members, at its end, or as JSON, as it comes.
pub struct Table<'c> {
    as_json: bool,
    columns: &'c [&'c str],
    rows: comfy_table::Table,
    is_begun: bool,
}

impl<'c> Table<'c> {
    pub fn new(as_json: bool, columns: &'c [&'c str]) -> Self {
        let mut rows = comfy_table::Table::new();
        rows.load_style(NOTHING).set_header(columns.iter().map(|column| column.to_uppercase()));
        Self { as_json, columns, rows, is_begun: false }
    }

    pub fn add(&mut self, values: &[Value]) {
        for value in values {
            if self.as_json {
                self.separate();
                part(&value.to_string());
            } else {
                self.rows.add_row(cells(self.columns, value));
            }
        }
    }

    /// Prints what is before the next entry in JSON.
    fn separate(&mut self) {
        part(if self.is_begun { "," } else { "{\"data\":[" });
        self.is_begun = true;
    }

    /// Ends the list. With `next_cursor` there is more, which a remark says beside a table.
    pub fn end(mut self, next_cursor: Option<&str>) {
        if self.as_json {
            if !self.is_begun {
                self.separate();
            }
            return line(&format!("],\"next_cursor\":{}}}", json!(next_cursor)));
        }
        for column in self.rows.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for row in self.rows.lines() {
            line(row.trim_end());
        }
        if let Some(cursor) = next_cursor {
            remark(&format!("There are more. --all prints all of them, --cursor {cursor} the next ones."));
        }
    }
}

/// Lines of a table that is printed as its entries come. Each column is as wide as its widest value so far.
pub struct Lines<'c> {
    columns: &'c [&'c str],
    widths: Vec<usize>,
}

impl<'c> Lines<'c> {
    /// Begins with the names of the columns.
    pub fn begin(columns: &'c [&'c str]) -> Self {
        let mut lines = Self { columns, widths: vec![0; columns.len()] };
        lines.print(columns.iter().map(|column| column.to_uppercase()));
        lines
    }

    /// Prints an entry. Returns whether standard output takes more.
    pub fn add(&mut self, value: &Value) -> bool {
        self.print(cells(self.columns, value))
    }

    fn print(&mut self, cells: impl Iterator<Item = String>) -> bool {
        let padded = cells.zip(&mut self.widths).map(|(cell, width)| {
            *width = cell.chars().count().max(*width);
            format!("{cell:width$}", width = *width)
        });
        written(padded.collect::<Vec<_>>().join("  ").trim_end())
    }
}

/// Returns the members `columns` of an entry.
fn cells(columns: &[&str], value: &Value) -> impl Iterator<Item = String> {
    columns.iter().map(|column| plain(column, value.get(column).unwrap_or(&Value::Null)))
}

fn plain(name: &str, value: &Value) -> String {
    match value {
        Value::Null => absent(name).to_owned(),
        Value::Array(items) if items.is_empty() => absent(name).to_owned(),
        Value::Object(members) if members.is_empty() => absent(name).to_owned(),
        Value::String(text) => text.clone(),
        // A customer in a list, as APIs call it.
        Value::Object(members) if members.contains_key("external_id") => plain("", &members["external_id"]),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}={}", plain(name, value)));
            members.collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(|item| plain(name, item)).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Returns what it means that a member has no value, in the words of the options that clear it.
fn absent(name: &str) -> &'static str {
    match name {
        "rate_per_minute" | "burst_per_second" | "limit" | "remaining" => "unlimited",
        "expires_at" => "never",
        "allowed_ips" | "customers" => "any",
        "owner" => "organisation",
        _ => "-",
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
