//! Bounded free text: names and descriptions that people read.

/// Longest name, in characters.
pub const NAME_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 1000;

/// Checks a name: 1 to 200 characters, no control characters, no white space at either end.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the field's name.
pub fn name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("must not be empty");
    }
    bounded(text, NAME_MAX, "must have at most 200 characters")
}

/// Checks a description: up to 1000 characters, no control characters, no white space at either end.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the field's name.
pub fn description(text: &str) -> Result<String, &'static str> {
    bounded(text, DESCRIPTION_MAX, "must have at most 1000 characters")
}

fn bounded(text: &str, max: usize, too_long: &'static str) -> Result<String, &'static str> {
    if text.chars().count() > max {
        return Err(too_long);
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters");
    }
    if text.trim() != text {
        return Err("must not begin or end with white space");
    }
    Ok(text.to_owned())
}

/// `text` as it may stand in rows, answers and on terminals: cut to at most `max` bytes, control characters replaced
/// (PostgreSQL stores no NUL in a text).
pub fn recordable(text: &str, max: usize) -> String {
    clipped(text, max).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Cuts `text` to at most `max` bytes at a character boundary, for values that come from outside and are only kept
/// for reading, such as a user agent.
pub fn clipped(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
