//! JSON objects from outside, read field by field, so that everything that is wrong is named at once.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Payload};
use serde_json::{Map, Value};

use crate::http::{State, body, error};
use crate::service::clients::Patch;
use crate::service::error::{FieldError, ServiceError};

/// Largest body of the management API.
const BODY_MAX: usize = 64 * 1024;

/// The members of an object that have not been read yet, and what was wrong so far.
pub struct Fields {
    members: Map<String, Value>,
    wrong: Vec<FieldError>,
}

/// Reads the request's body; the bytes are what tells repeated requests from others.
///
/// # Errors
/// It is too large, too slow, or not JSON by its content type.
pub async fn read_body(request: &HttpRequest, payload: Payload, state: &State) -> Result<Bytes, ServiceError> {
    let bytes = body::read(payload, BODY_MAX, state.server.request_timeout).await.map_err(error::unreadable_body)?;
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !bytes.is_empty() && !kind.eq_ignore_ascii_case("application/json") {
        return Err(ServiceError::Unreadable {
            status: 415,
            code: "unsupported_media_type",
            message: "The body must be application/json.",
        });
    }
    Ok(bytes)
}

impl Fields {
    /// The members of the object in `body`; an empty body is an empty object.
    ///
    /// # Errors
    /// It is not a JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let members = match body {
            [] => Ok(Map::new()),
            body => serde_json::from_slice(body),
        };
        let members = members.map_err(|_| ServiceError::Unreadable {
            status: 400,
            code: "malformed_json",
            message: "The body is not a JSON object.",
        })?;
        Ok(Self { members, wrong: vec![] })
    }

    fn take<T>(&mut self, name: &str, must_be: &str, read: impl FnOnce(Value) -> Option<T>) -> Patch<T> {
        match self.members.remove(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => match read(value) {
                Some(value) => Patch::Set(value),
                None => {
                    self.wrong.push(FieldError::new(name, must_be));
                    Patch::Keep
                }
            },
        }
    }

    /// A string.
    pub fn string(&mut self, name: &str) -> Patch<String> {
        self.take(name, "must be a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// A list of strings.
    pub fn strings(&mut self, name: &str) -> Patch<Vec<String>> {
        self.take(name, "must be a list of strings", |value| serde_json::from_value(value).ok())
    }

    /// A whole number.
    pub fn integer(&mut self, name: &str) -> Patch<i64> {
        self.take(name, "must be a whole number", |value| value.as_i64())
    }

    /// Done reading: what is left is unknown.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub fn finish(mut self) -> Result<(), ServiceError> {
        self.wrong.extend(
            self.members
                .keys()
                .map(|name| FieldError::new(crate::domain::text::clipped(name, 60), "is not a field of this object")),
        );
        if self.wrong.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(self.wrong)) }
    }
}
