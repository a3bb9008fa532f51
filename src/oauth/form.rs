//! `application/x-www-form-urlencoded` bodies (RFC 6749 Appendix B), parsed strictly: a malformed percent sign or
//! invalid UTF-8 is an error.

use std::borrow::Cow;

use super::error::OAuthError;
use crate::domain::form_encoding::{BadEncoding, pairs};

/// Parameters of RFC 6749 and its extensions that must not repeat (§3.2, erratum 5708). Others may: RFC 8707's
/// `resource` does.
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

/// The parameters of a form in their order. A parameter without a value counts as omitted (RFC 6749 §3.2).
#[derive(Default)]
pub struct Form<'b>(Vec<(Cow<'b, str>, Cow<'b, str>)>);

impl<'b> Form<'b> {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// `invalid_request` for a malformed encoding, or for a repeated parameter that must not repeat.
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

    /// Returns the first value of a parameter.
    pub fn get<'f>(&'f self, name: &'f str) -> Option<&'f str> {
        self.all(name).next()
    }

    /// Returns all values of a parameter, in order.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(seen, _)| seen == name).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
