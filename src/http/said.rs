//! The input of a request beside its path: a JSON object in its body, parameters in its query string, or nothing.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, OneOfBuilder, Ref, RefOr, Required};

use super::describe::OperationDoc;
use super::error::ApiError;
use crate::domain::field_error::FieldError;
use crate::domain::form_encoding;
use crate::view::input::Input;

/// The input of a request beside its path.
pub trait Said: Sized + 'static {
    /// Whether a request with this method has a body.
    fn has_body(method: &Method) -> bool;

    /// Reads it, where the caller may.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn read(request: &HttpRequest, body: &Bytes) -> Result<Self, ApiError>;

    /// Adds it to an operation.
    fn describe(doc: &mut OperationDoc);
}

/// A JSON object in the body. Where no member is required, the body may be absent, or null.
impl<I: Input + 'static> Said for I {
    fn has_body(_method: &Method) -> bool {
        true
    }

    fn read(request: &HttpRequest, body: &Bytes) -> Result<Self, ApiError> {
        let members = match object(request, body)? {
            Some(members) => members,
            None if I::is_required() => return Err(ApiError::MalformedJson),
            None => Map::new(),
        };
        I::read(members).map_err(ApiError::Fields)
    }

    fn describe(doc: &mut OperationDoc) {
        I::schemas(&mut doc.schemas);
        doc.schemas.push((I::NAME.to_owned(), I::schema().into()));
        let reference = Ref::from_schema_name(I::NAME);
        let (schema, required) = if I::is_required() {
            (RefOr::Ref(reference), Required::True)
        } else {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            (OneOfBuilder::new().item(reference).item(null).into(), Required::False)
        };
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(required)).build();
        doc.operation.request_body = Some(body.into());
        doc.problems(&["400", "408", "413", "415", "422"]);
    }
}

/// Nothing. The body of a `POST` is absent, null, or an empty object.
impl Said for () {
    fn has_body(method: &Method) -> bool {
        *method == Method::POST
    }

    fn read(request: &HttpRequest, body: &Bytes) -> Result<(), ApiError> {
        let unknown =
            |name: String| FieldError::new(crate::domain::text::recordable(&name, 60), "is not a field of this object");
        let members = object(request, body)?.unwrap_or_default();
        let errors: Vec<FieldError> = members.into_iter().map(|(name, _)| unknown(name)).collect();
        if errors.is_empty() { Ok(()) } else { Err(ApiError::Fields(errors)) }
    }

    fn describe(doc: &mut OperationDoc) {
        if Self::has_body(&doc.method) {
            doc.problems(&["400", "408", "413", "415", "422"]);
        }
    }
}

/// Parameters of the query string.
pub struct Query<I>(pub I);

impl<I: Input + 'static> Said for Query<I> {
    fn has_body(_method: &Method) -> bool {
        false
    }

    fn read(request: &HttpRequest, _body: &Bytes) -> Result<Self, ApiError> {
        let pairs: Result<Vec<(String, String)>, _> = form_encoding::pairs(request.query_string().as_bytes())
            .map(|pair| pair.map(|(name, value)| (name.into_owned(), value.into_owned())))
            .collect();
        let pairs = pairs.map_err(|_| ApiError::Fields(vec![FieldError::new("query", "is not well-formed")]))?;
        I::read_query(pairs).map(Self).map_err(ApiError::Fields)
    }

    fn describe(doc: &mut OperationDoc) {
        doc.query::<I>();
    }
}

/// The JSON object of a body; none if it is null. An absent body is an empty object.
fn object(request: &HttpRequest, body: &Bytes) -> Result<Option<Map<String, Value>>, ApiError> {
    if body.is_empty() {
        return Ok(Some(Map::new()));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::MediaType);
    }
    let members: Option<Members> = serde_json::from_slice(body).map_err(|_| ApiError::MalformedJson)?;
    Ok(members.map(|Members(members)| members))
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
                        return Err(A::Error::custom("a member is repeated"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
