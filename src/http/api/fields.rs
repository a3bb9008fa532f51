//! JSON objects from outside, read field by field, so that everything that is wrong is named at once.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Payload};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::http::error::ApiError;
use crate::http::{State, body};
use crate::service::error::{FieldError, ServiceError};
use crate::service::input::Patch;

/// Largest body of the management API.
const BODY_MAX: usize = 64 * 1024;

/// The members of an object that have not been read yet, and what was wrong so far.
pub struct Fields {
    members: Map<String, Value>,
    wrong: Vec<FieldError>,
    #[cfg(test)]
    read: Vec<String>,
}

/// Reads the request's body as an object; an empty body is an empty object. The bytes are what tells repeated requests
/// from others.
///
/// # Errors
/// It is too large, too slow, or not a JSON object.
pub async fn read(request: &HttpRequest, payload: Payload, state: &State) -> Result<(Fields, Bytes), ApiError> {
    let bytes = body::read(payload, BODY_MAX, state.server.request_timeout).await.map_err(ApiError::Body)?;
    if bytes.is_empty() {
        return Ok((Fields::of(Map::new()), bytes));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::MediaType);
    }
    let Members(members) = serde_json::from_slice(&bytes).map_err(|_| ApiError::MalformedJson)?;
    Ok((Fields::of(members), bytes))
}

/// Reads a body that says nothing, of a request whose path says all.
///
/// # Errors
/// As [`read`]; and it has a member.
pub async fn read_nothing(request: &HttpRequest, payload: Payload, state: &State) -> Result<(), ApiError> {
    read(request, payload, state).await?.0.finish()
}

/// An object whose members have different names: of two readers of one that has not, each may believe another member.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member stands twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl Fields {
    fn of(members: Map<String, Value>) -> Self {
        Self {
            members,
            wrong: vec![],
            #[cfg(test)]
            read: vec![],
        }
    }

    fn take<T>(&mut self, name: &str, must_be: &str, read: impl FnOnce(Value) -> Option<T>) -> Patch<T> {
        #[cfg(test)]
        self.read.push(name.to_owned());
        match self.members.remove(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => {
                if let Some(value) = read(value) {
                    Patch::Set(value)
                } else {
                    self.wrong.push(FieldError::new(name, must_be));
                    Patch::Keep
                }
            }
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
    pub fn finish(mut self) -> Result<(), ApiError> {
        self.wrong.extend(
            self.members
                .keys()
                .map(|name| FieldError::new(crate::domain::text::clipped(name, 60), "is not a field of this object")),
        );
        if self.wrong.is_empty() { Ok(()) } else { Err(ApiError::Input(ServiceError::Invalid(self.wrong))) }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The schema `S` has exactly the properties that `read` reads.
    pub fn assert_described<S: utoipa::ToSchema>(read: impl FnOnce(&mut Fields)) {
        fn properties(schema: &Value, named: &Value, found: &mut Vec<String>) {
            let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
            if let Some(name) = name {
                properties(&named[name], named, found);
            }
            found.extend(schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned());
            schema["allOf"].as_array().into_iter().flatten().for_each(|part| properties(part, named, found));
        }
        let mut named = vec![];
        S::schemas(&mut named);
        let named: std::collections::BTreeMap<_, _> = named.into_iter().collect();
        let mut fields = Fields::of(Map::new());
        read(&mut fields);
        fields.read.sort();
        let mut described = vec![];
        let schema = serde_json::to_value(S::schema()).unwrap();
        properties(&schema, &serde_json::to_value(named).unwrap(), &mut described);
        described.sort();
        assert_eq!(described, fields.read);
    }
}
