//! Names that were replaced, and the names that took their place.

use crate::Finding;
use crate::files::RustFile;
use crate::rust::Spoken;

/// Parts of a name in their order, such as `note_due` for `note_due`, `NoteDue` and `is_note_due_now`, and what to
/// write.
const REFUSED: [(&str, &str); 20] = [
    ("trail", "AuditContext"),
    ("witness", "record_event, record_refusal"),
    ("vault", "Sealer"),
    ("at_hand", "get"),
    ("mint", "generate"),
    ("presented", "extract_credential"),
    ("standing", "RateLimitStatus, BucketStatus"),
    ("guessing", "FailedAuthentications"),
    ("note_due", "flag_due_rotations"),
    ("doomed", "RevokeFilter"),
    ("key_text", "RawApiKey"),
    ("client_secret_text", "RawClientSecret"),
    ("key_string", "the key's value"),
    ("key_strings", "the key's values"),
    ("belonging", "ownership"),
    ("keys_in_memory", "the cache's name"),
    ("clients_in_memory", "the cache's name"),
    ("owners_in_memory", "the cache's name"),
    ("customers_in_memory", "the cache's name"),
    ("new_place", "NewOwnership"),
];

/// Parts that are refused in names of types only: elsewhere they are ordinary words.
const REFUSED_TYPES: [(&str, &str); 2] = [("answer", "Response"), ("wanted", "TokenParameters, KeyUseRequest")];

/// The product's caches; the benchmarks measure memory.
const CACHE: (&str, &str) = ("Memory", "Cache");

/// What an `answer` is called. In longer names, as of tests, it may be a verb.
const RESPONSE: &str = "response";

/// The parts of a name in lower case: `NoteDue` and `note_due` are both `note` and `due`.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && !before.is_uppercase()) {
            parts.push(String::new());
        }
        if c != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(c.to_lowercase());
        }
        before = c;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn has(parts: &[String], wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split('_').collect();
    parts.windows(wanted.len()).any(|window| window.iter().eq(wanted.iter()))
}

fn refusal(name: &str) -> Option<&'static str> {
    let parts = parts(name);
    let is_type = name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
    let of_types = REFUSED_TYPES.iter().filter(|_| is_type);
    let refused = REFUSED.iter().chain(of_types).find(|(refused, _)| has(&parts, refused));
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let is_response = matches!(words[..], ["answer" | "answers"] | [_, "answer"] | [_, _, "answer"]);
    refused.map(|(_, instead)| *instead).or(is_response.then_some(RESPONSE))
}

/// Names in a file that were replaced, each on its first line.
pub(crate) fn refused(file: &RustFile) -> Vec<Finding> {
    let mut seen = std::collections::BTreeSet::new();
    let mut findings = Vec::new();
    for (line, name) in Spoken::of(file).identifiers {
        let of_product = (name == CACHE.0 && file.path.starts_with("src/")).then_some(CACHE.1);
        if let Some(instead) = refusal(&name).or(of_product)
            && seen.insert(name.clone())
        {
            findings.push(Finding::new(&file.path, line, format!("`{name}`: write {instead}")));
        }
    }
    findings
}

#[test]
fn names_are_compared_by_their_parts() {
    for name in ["Trail", "AuditTrail", "audit_trail", "NoteDue", "KeyText", "NewPlace", "SecretMint", "token_answer"] {
        assert!(refusal(name).is_some(), "{name}");
    }
    for name in ["trailing", "in_place", "key_context", "Memoryless", "wanted", "true_when_they_answer"] {
        assert!(refusal(name).is_none(), "{name}");
    }
    assert_eq!(parts("RateLimit_ID"), ["rate", "limit", "id"]);
    let file = RustFile::parse("a.rs", "fn a(vault: u8) -> u8 {\n    vault\n}");
    assert_eq!(refused(&file), [Finding::new("a.rs", 1, "`vault`: write Sealer")]);
}
