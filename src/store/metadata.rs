//! Metadata in a column: a JSON object of strings.

use std::collections::BTreeMap;

use crate::domain::metadata::{Metadata, MetadataChanges};

/// Returns the column of `metadata`.
pub fn to_column(metadata: &Metadata) -> String {
    let pairs: BTreeMap<&str, &str> = metadata.pairs().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    serde_json::json!(pairs).to_string()
}

/// # Errors
/// The column is not what [`to_column`] writes.
pub fn from_column(text: &str) -> Result<Metadata, ()> {
    if text == "{}" {
        return Ok(Metadata::default());
    }
    let pairs: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| ())?;
    let pair = |(key, value): (String, String)| Ok((key.parse()?, Some(value.parse()?)));
    let pairs: Result<MetadataChanges, &'static str> = pairs.into_iter().map(pair).collect();
    pairs.and_then(|pairs| Metadata::default().merged(pairs)).map_err(|_| ())
}
