//! Lists: part after part, until there are as many entries as were asked for.

use std::fmt::Display;

use clap::Args;
use serde_json::Value;

use super::CliError;
use super::output::Table;
use crate::domain::listing::Listing;

/// Entries that one query reads.
const STEP: usize = 1000;

/// How much of a list to print, and from where on.
#[derive(Args)]
pub struct Paging {
    /// Maximum number of entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "all")]
    limit: u64,
    /// Print all entries
    #[arg(long)]
    all: bool,
    /// Continue a list: the `next_cursor` of its last part
    #[arg(long)]
    cursor: Option<String>,
}

impl Paging {
    /// Returns how many entries to print at most.
    pub fn limit(&self) -> usize {
        if self.all { usize::MAX } else { usize::try_from(self.limit).unwrap_or(usize::MAX) }
    }
}

/// Prints a list in a table of `columns`, or as JSON. `fetch` returns the entries after a position, at most as many as
/// it is told; `position` reads a cursor.
///
/// # Errors
/// The cursor is no position, or `fetch` fails.
pub async fn print<C: Display>(
    json: bool,
    paging: &Paging,
    columns: &[&str],
    position: impl Fn(&str) -> Option<C>,
    mut fetch: impl AsyncFnMut(Option<C>, usize) -> Result<Listing<Value, C>, CliError>,
) -> Result<(), CliError> {
    let wrong = || CliError::Usage("--cursor must be the next_cursor of an earlier part of the list".to_owned());
    let mut after = paging.cursor.as_deref().map(|cursor| position(cursor).ok_or_else(wrong)).transpose()?;
    let (mut table, mut missing) = (Table::new(json, columns), paging.limit());
    loop {
        let Listing { rows, rest } = fetch(after, STEP.min(missing)).await?;
        missing = missing.saturating_sub(rows.len());
        table.add(&rows);
        match rest {
            Some(rest) if missing > 0 => after = Some(rest),
            rest => {
                table.end(rest.map(|rest| rest.to_string()).as_deref());
                return Ok(());
            }
        }
    }
}

/// Makes the part of a list of the rows that a query found, which was to find one more than `count`.
pub fn part<T, C>(rows: Vec<T>, count: usize, position: fn(&T) -> C, view: fn(&T) -> Value) -> Listing<Value, C> {
    let Listing { rows, rest } = Listing::cut(rows, count, None, |row| Some(position(row)));
    Listing { rows: rows.iter().map(view).collect(), rest }
}

/// Returns how many rows a query must find for a part of `count`: one more shows whether the list continues.
pub fn and_one(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1)
}
