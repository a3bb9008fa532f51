//! `application/x-www-form-urlencoded` text, as in forms and query strings, parsed strictly: a malformed percent sign
//! or invalid UTF-8 is an error.

use std::borrow::Cow;

/// The error of a text that is not well-formed `application/x-www-form-urlencoded`.
#[derive(Clone, Copy, Debug)]
pub struct BadEncoding;

/// Decodes the parameters of a body or a query with their values, empty ones included, in order.
pub fn pairs(text: &[u8]) -> impl Iterator<Item = Result<(Cow<'_, str>, Cow<'_, str>), BadEncoding>> {
    let readable = std::str::from_utf8(text);
    let unreadable = readable.is_err().then_some(Err(BadEncoding));
    let pairs = readable.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name).ok_or(BadEncoding)?, decode(value).ok_or(BadEncoding)?))
    });
    unreadable.into_iter().chain(pairs)
}

/// Decodes form encoding: `+` is a space, `%XX` a byte. Returns `None` for a malformed percent sign or invalid UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|b| b == b'%' || b == b'+') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit =
                    |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
                digit(rest.next())? * 16 + digit(rest.next())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_undone_strictly() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("a+b", Some("a b")),
            ("a%2Bb%20c", Some("a+b c")),
            ("%c3%A4", Some("ä")),
            ("%", None),
            ("%2", None),
            ("%zz", None),
            ("%+1", None),
            ("%ff", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
