//! The length of lines.

use crate::Finding;
use crate::files::TextFile;

const LONGEST: usize = 120;

/// In Markdown, rows of tables cannot be broken, and addresses nowhere.
fn may_be_longer(file: &TextFile, line: &str) -> bool {
    if !file.is("md") {
        return false;
    }
    let longest_word = line.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
    line.trim_start().starts_with('|') || (line.contains("](") || line.contains("://")) && longest_word > LONGEST / 2
}

pub(crate) fn too_long(file: &TextFile) -> Vec<Finding> {
    let long = (1..).zip(file.text.lines()).map(|(number, line)| (number, line, line.chars().count()));
    long.filter(|(_, line, length)| *length > LONGEST && !may_be_longer(file, line))
        .map(|(number, _, length)| {
            Finding::new(&file.path, number, format!("{length} characters: break the line at {LONGEST}"))
        })
        .collect()
}

#[test]
fn tables_and_addresses_may_be_longer_in_markdown_alone() {
    let long = "ä".repeat(LONGEST);
    let file = |path: &str, text: String| TextFile { path: path.to_owned(), text };
    assert!(too_long(&file("a.rs", long.clone())).is_empty());
    assert_eq!(too_long(&file("a.rs", format!("\n{long}!")))[0].line, 2);
    assert!(too_long(&file("a.md", format!("| {long} |\nhttps://{long}"))).is_empty());
    assert_eq!(too_long(&file("a.sql", format!("| {long} |\nhttps://{long}"))).len(), 2);
}
