//! The errors of the protocol's endpoints in the document, with the closed list of their codes.

use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

use crate::http::describe::OperationDoc;
use crate::http::error;
use crate::oauth::error::OAuthError;
use crate::view::closed::one_of;

/// The name of the schema of errors.
const ERROR: &str = "OAuthError";
/// The name of the schema of their codes.
const CODE: &str = "OAuthErrorCode";
/// An error for each code.
const ERRORS: [OAuthError; 7] = [
    OAuthError::InvalidRequest(""),
    OAuthError::InvalidClient,
    OAuthError::UnsupportedGrantType,
    OAuthError::InvalidScope,
    OAuthError::InvalidTarget,
    OAuthError::Unavailable,
    OAuthError::ServerError,
];

/// Adds the errors to an operation.
pub fn describe(doc: &mut OperationDoc) {
    error::describe_oauth(doc);
    let errors = doc.schemas.iter_mut().filter(|(name, _)| name == ERROR);
    for (_, schema) in errors {
        if let RefOr::T(Schema::Object(object)) = schema {
            object.properties.insert("error".to_owned(), Ref::from_schema_name(CODE).into());
        }
    }
    let meaning = "A registered error code (RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2).";
    doc.schemas.push((CODE.to_owned(), one_of(ERRORS.map(OAuthError::code), &[meaning])));
}
