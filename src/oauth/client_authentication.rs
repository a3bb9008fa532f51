//! Client authentication by `client_secret_basic` or `client_secret_post`, exactly one of them (RFC 6749 §2.3).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::OAuthError;
use super::form::Form;
use crate::domain::form_encoding::decode;

/// Longest `client_id` and longest secret that are accepted, in bytes.
const CREDENTIAL_MAX: usize = 256;

const TWO_METHODS: OAuthError =
    OAuthError::InvalidRequest("The request authenticates the client in more than one way.");

/// A client's id and secret as they were sent.
#[derive(Debug)]
pub struct SecretCredentials {
    /// The `client_id` as it was sent; it is not verified.
    pub client_id: String,
    /// The secret as it was sent.
    pub secret: SentSecret,
}

/// A secret as it was sent. Blank in `Debug`, zeroed on drop.
pub struct SentSecret(Zeroizing<String>);

impl SentSecret {
    /// Returns the secret, only to check it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SentSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SentSecret")
    }
}

/// Extracts the client's credentials from the `Authorization` fields, the query and the form of a request.
///
/// # Errors
/// `invalid_request` for more than one method, credentials in the query, or a malformed encoding; `invalid_client` if
/// there are no credentials.
pub fn extract_credentials(
    authorization: &[&[u8]],
    query: &str,
    form: &Form<'_>,
) -> Result<SecretCredentials, OAuthError> {
    refuse_query(query)?;
    let in_body = form.get("client_secret").is_some() || form.get("client_assertion").is_some();
    match authorization {
        [] => from_form(form),
        [_] if in_body => Err(TWO_METHODS),
        [header] => {
            let credentials = from_basic(header)?;
            // RFC 6749 §2.3.1: the same client_id in the body is allowed; another one is not.
            if form.get("client_id").is_some_and(|id| id != credentials.client_id) {
                return Err(OAuthError::InvalidRequest("client_id differs from the one in the Authorization field."));
            }
            Ok(credentials)
        }
        _ => Err(TWO_METHODS),
    }
}

/// Refuses credentials in the request URI, where logs would keep them (RFC 6749 §2.3.1).
fn refuse_query(query: &str) -> Result<(), OAuthError> {
    let named = query.split('&').map(|pair| decode(pair.split_once('=').map_or(pair, |(name, _)| name)));
    for name in named {
        if matches!(name.as_deref(), Some("client_id" | "client_secret" | "client_assertion" | "token")) {
            return Err(OAuthError::InvalidRequest("Credentials and tokens must not be in the query string."));
        }
    }
    Ok(())
}

fn from_form(form: &Form<'_>) -> Result<SecretCredentials, OAuthError> {
    if form.get("client_assertion").is_some() && form.get("client_secret").is_some() {
        return Err(TWO_METHODS);
    }
    match (form.get("client_id"), form.get("client_secret")) {
        (Some(id), Some(secret)) => credentials(id.to_owned(), Zeroizing::new(secret.to_owned())),
        _ => Err(OAuthError::InvalidClient),
    }
}

/// Reads base64 of `id:secret`, each of them form-encoded first (RFC 7617, RFC 6749 §2.3.1). Our ids and secrets only
/// use characters that the encoding leaves unchanged, so that clients that omit it are accepted too.
fn from_basic(header: &[u8]) -> Result<SecretCredentials, OAuthError> {
    const MALFORMED: OAuthError =
        OAuthError::InvalidRequest("The Authorization field is not well-formed Basic authentication.");
    let header = std::str::from_utf8(header).map_err(|_| MALFORMED)?;
    let (scheme, encoded) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::InvalidClient);
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_| MALFORMED)?);
    let decoded = std::str::from_utf8(&decoded).map_err(|_| MALFORMED)?;
    let (id, secret) = decoded.split_once(':').ok_or(MALFORMED)?;
    let plain = |text| decode(text).filter(|text| is_vschar(text)).ok_or(MALFORMED);
    let (id, secret): (Cow<'_, str>, Cow<'_, str>) = (plain(id)?, plain(secret)?);
    credentials(id.into_owned(), Zeroizing::new(secret.into_owned()))
}

fn credentials(client_id: String, secret: Zeroizing<String>) -> Result<SecretCredentials, OAuthError> {
    if !is_vschar(&client_id) || !is_vschar(&secret) {
        return Err(OAuthError::InvalidRequest("client_id or client_secret has characters that are not allowed."));
    }
    if client_id.len() > CREDENTIAL_MAX || secret.len() > CREDENTIAL_MAX {
        return Err(OAuthError::InvalidClient);
    }
    Ok(SecretCredentials { client_id, secret: SentSecret(secret) })
}

/// Returns `true` for a text of `VSCHAR` (RFC 6749 Appendix A.1, A.2).
fn is_vschar(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x20..=0x7e))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(authorization: &[&str], query: &str, body: &str) -> Result<(String, String), &'static str> {
        let form = Form::parse(body.as_bytes()).map_err(OAuthError::code)?;
        let fields: Vec<&[u8]> = authorization.iter().map(|field| field.as_bytes()).collect();
        extract_credentials(&fields, query, &form)
            .map(|found| (found.client_id.clone(), found.secret.expose().to_owned()))
            .map_err(OAuthError::code)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn exactly_one_authentication_is_read() {
        let both = Ok(("id".to_owned(), "se:cret".to_owned()));
        let table = [
            (vec![basic("id:se:cret")], "", "", both.clone()),
            (vec![basic("i%64:se%3Acret")], "", "", both.clone()),
            (vec![basic("id:se:cret").replace("Basic", "bAsIc")], "", "", both.clone()),
            (vec![basic("id:se:cret")], "", "client_id=id", both.clone()),
            (vec![basic("id:se:cret")], "", "client_secret=", both.clone()),
            (vec![], "", "client_id=id&client_secret=se%3Acret", both.clone()),
            (vec![], "foo=bar", "client_id=id&client_secret=se:cret", both),
            (vec![], "", "", Err("invalid_client")),
            (vec![], "", "client_id=id", Err("invalid_client")),
            (vec![], "", "client_secret=x", Err("invalid_client")),
            (vec![], "", "client_id=id&client_secret=", Err("invalid_client")),
            (vec!["Bearer x".into()], "", "", Err("invalid_client")),
            (vec![basic("id:x")], "", "client_id=id&client_secret=x", Err("invalid_request")),
            (vec![basic("id:x")], "", "client_assertion=x", Err("invalid_request")),
            (vec![], "", "client_id=i&client_secret=x&client_assertion=x", Err("invalid_request")),
            (vec![basic("id:x")], "", "client_id=other", Err("invalid_request")),
            (vec![basic("id:x"), basic("id:x")], "", "", Err("invalid_request")),
            (vec![], "client_secret=x", "client_id=id&client_secret=x", Err("invalid_request")),
            (vec![], "client%5Fsecret=x", "client_id=id&client_secret=x", Err("invalid_request")),
            (vec!["Basic".into()], "", "", Err("invalid_request")),
            (vec!["Basic !!!".into()], "", "", Err("invalid_request")),
            (vec!["Basic aWQ6eA".into()], "", "", Err("invalid_request")),
            (vec![basic("no colon")], "", "", Err("invalid_request")),
            (vec![basic("id:50%")], "", "", Err("invalid_request")),
            (vec![basic("id:%zz")], "", "", Err("invalid_request")),
            (vec![basic("id:a\tb")], "", "", Err("invalid_request")),
            (vec![basic("id:%C3%A4")], "", "", Err("invalid_request")),
            (vec![], "", "client_id=id&client_secret=a%00b", Err("invalid_request")),
        ];
        for (authorization, query, body, expected) in table {
            let fields: Vec<&str> = authorization.iter().map(String::as_str).collect();
            assert_eq!(read(&fields, query, body), expected, "{authorization:?} {query:?} {body:?}");
        }
    }

    #[test]
    fn plus_is_a_space_and_percent_2b_is_plus() {
        assert_eq!(read(&[&basic("a+b:c%2Bd")], "", ""), Ok(("a b".into(), "c+d".into())));
    }

    proptest! {
        #[test]
        fn any_header_and_form_are_read_or_refused(
            header in "\\PC{0,60}",
            pair in "\\PC{0,40}",
            query in "\\PC{0,40}",
            body in "\\PC{0,40}",
        ) {
            let _ = read(&[&header], &query, &body);
            let _ = read(&[&basic(&pair)], &query, &body);
        }
    }
}
