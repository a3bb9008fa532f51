//! `application/x-www-form-urlencoded` bodies (RFC 6749 Appendix B), read strictly: a broken percent sign or a byte
//! sequence that is not UTF-8 is an error, not a guess.

use std::borrow::Cow;

use super::error::OAuthError;

/// Parameters of RFC 6749 and its kin that must not repeat (§3.2, erratum 5708). Others may: RFC 8707's `resource` does.
const SINGLE: [&str; 9] = [
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "refresh_token",
    "token",
    "token_type_hint",
];

/// A form's parameters in their order. A parameter without value counts as left out (RFC 6749 §3.2).
#[derive(Default)]
pub struct Form<'b>(Vec<(Cow<'b, str>, Cow<'b, str>)>);

impl<'b> Form<'b> {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid_request`: bad encoding, or a parameter that must not repeat.
    pub fn parse(body: &'b [u8]) -> Result<Self, OAuthError> {
        let mut parameters: Vec<(Cow<'b, str>, Cow<'b, str>)> = Vec::with_capacity(6);
        for pair in pairs(body) {
            let (name, value) = pair.map_err(|BadEncoding| {
                OAuthError::InvalidRequest("The body is not well-formed application/x-www-form-urlencoded.")
            })?;
            if SINGLE.contains(&&*name) && parameters.iter().any(|(seen, _)| *seen == name) {
                return Err(OAuthError::InvalidRequest("A parameter is repeated."));
            }
            parameters.push((name, value));
        }
        parameters.retain(|(_, value)| !value.is_empty());
        Ok(Self(parameters))
    }

    /// The first value of a parameter.
    pub fn get<'f>(&'f self, name: &'f str) -> Option<&'f str> {
        self.all(name).next()
    }

    /// Every value of a parameter, in order.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(seen, _)| seen == name).map(|(_, value)| &**value)
    }
}

/// The text is not well-formed `application/x-www-form-urlencoded`.
#[derive(Clone, Copy, Debug)]
pub struct BadEncoding;

/// The parameters of a body or a query with their values, also empty ones, in order.
pub fn pairs(text: &[u8]) -> impl Iterator<Item = Result<(Cow<'_, str>, Cow<'_, str>), BadEncoding>> {
    let readable = std::str::from_utf8(text);
    let unreadable = readable.is_err().then_some(Err(BadEncoding));
    let pairs = readable.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name).ok_or(BadEncoding)?, decode(value).ok_or(BadEncoding)?))
    });
    unreadable.into_iter().chain(pairs)
}

/// Undoes form encoding: `+` is a space, `%XX` a byte; `None` if a percent sign is followed by anything else, or the
/// bytes are not UTF-8.
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
    use proptest::prelude::*;

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

    #[test]
    fn what_must_not_repeat_is_refused_and_the_rest_may() {
        assert!(Form::parse(b"scope=a&scope=b").is_err());
        assert!(Form::parse(b"scope=&scope=b").is_err(), "also when one of them is empty");
        assert!(Form::parse(b"s%63ope=a&scope=b").is_err(), "also when one of them is encoded");
        let form = Form::parse(b"resource=a&resource=b&foo=1&foo=2&scope=&&x").unwrap();
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("x"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::parse(&body);
        }
    }
}
