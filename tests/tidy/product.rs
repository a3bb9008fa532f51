//! What has no place in a repository that others read: paths of one machine, and plans.

use crate::Finding;
use crate::files::TextFile;

/// Paths of somebody's machine.
const PATHS: [&str; 4] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/ho", "me/")];

pub(crate) fn foreign(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for path in PATHS.iter().filter(|path| names_path(line, path)) {
            let message = format!("{path}: write a path below the repository, or one that each machine has");
            findings.push(Finding::new(&file.path, number, message));
        }
        if let Some(issue) = issue_number(line) {
            let message = format!("\"issue {issue}\": say what it is about");
            findings.push(Finding::new(&file.path, number, message));
        }
    }
    findings
}

/// Whether the path begins at the root: `/srv/…` and not `…/srv/…`.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/' | '*'))
    })
}

/// The number after the word "issue".
fn issue_number(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("issue ")?;
    let rest = rest.strip_prefix('#').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

#[test]
fn paths_and_numbers_of_issues_are_found() {
    let count = |text: &str| foreign(&TextFile { path: "a.md".to_owned(), text: text.to_owned() }).len();
    let [work, _, _, home] = PATHS;
    assert_eq!(count(&format!("in {work}a")), 1);
    assert_eq!(count(&format!("in ${{here}}{home}a and a{work}b")), 0);
    assert_eq!(count("an issue, the issuer 7"), 0);
    assert_eq!(count(&["see issue", "12."].join(" ")), 1);
}
