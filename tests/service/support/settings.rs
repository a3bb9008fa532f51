//! Settings as the file that the program reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a settings file below `folder`; the last of several values of one setting counts. Names are as in variables.
pub fn write(folder: &Path, settings: &[(String, String)]) -> PathBuf {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in settings {
        // The one setting that no file may have.
        let (name, value) = match name.as_str() {
            "MASTER_KEY" => ("MASTER_KEY_FILE", private_file(folder, value).display().to_string()),
            name => (name, value.clone()),
        };
        all.insert(name.to_lowercase().replace("__", "."), value);
    }
    let mut text = String::new();
    for (name, value) in all {
        let is_other_than_text =
            value.starts_with('[') || value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok();
        // What JSON escapes is what TOML escapes, in the texts of these tests.
        let value = if is_other_than_text { value } else { serde_json::json!(value).to_string() };
        writeln!(text, "{name} = {value}").unwrap();
    }
    let file = folder.join("sealwright.toml");
    std::fs::write(&file, text).unwrap();
    file
}

fn private_file(folder: &Path, text: &str) -> PathBuf {
    use std::io::Write as _;
    let path = folder.join("given-master.key");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}
