//! The characters of an API key's value that are shown.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::domain::credential::RawApiKey;
use crate::view::input::Field;
use crate::view::text::{string, text};

pub enum KeyPrefix {}

impl Field for KeyPrefix {
    type Value = String;

    fn schema() -> RefOr<Schema> {
        string("^[a-z][a-z0-9]{0,15}_(live|stg|dev)_[0-9A-Za-z]{4}$").examples(["sw_live_Ab3d"]).into()
    }

    fn read(value: Value) -> Result<String, String> {
        let text = text(value)?;
        let wrong = "must be the prefix of a key as it is shown, such as sw_live_Ab3d".to_owned();
        if RawApiKey::is_prefix(&text) { Ok(text) } else { Err(wrong) }
    }
}

pub enum LastFour {}

impl Field for LastFour {
    type Value = String;

    fn schema() -> RefOr<Schema> {
        string("^[0-9A-Za-z]{4}$").into()
    }

    fn read(value: Value) -> Result<String, String> {
        let text = text(value)?;
        let is_formed = text.len() == 4 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_formed { Ok(text) } else { Err("must be four letters and digits".to_owned()) }
    }
}
