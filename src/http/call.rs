//! A call to the management API: who calls, from where, and what they say. A handler's signature says what it requires:
//! `Call<ClientsWrite, ClientCreate, Repeatable>`.
//!
//! The body is read and bounded first, then the caller is authorised, so that nobody holds a permission while a body
//! trickles in. What the body says is read last: only callers who may are told what is wrong with it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OneOfBuilder, Ref, RefOr, Required};

use super::body::{self, BodyError};
use super::describe::{Describe, OperationDoc};
use super::error::ApiError;
use super::middleware::origin_of;
use super::permission::Permission;
use super::{API_KEY, BEARER, State};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::field_error::FieldError;
use crate::oauth::form;
use crate::service::access::{CredentialFields, Requirement, Unauthorized};
use crate::service::idempotency::RepeatableRequest;
use crate::view::input::Input;
use crate::view::text::string;

/// Largest body of the management API, in bytes.
const BODY_MAX: usize = 64 * 1024;

static API_KEY_FIELD: HeaderName = HeaderName::from_static("x-api-key");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A call by a caller with the permission `P`, who says `I`, and may repeat the call if `R` is [`Repeatable`].
pub struct Call<P, I = (), R = Once> {
    /// Who calls.
    pub caller: Caller,
    /// Where the call came from.
    pub origin: Arc<Origin>,
    /// What it says.
    pub input: I,
    /// Tells repeated requests from others, if the request has an `Idempotency-Key`.
    pub repeat: Option<RepeatableRequest>,
    signature: PhantomData<fn() -> (P, R)>,
}

/// What a request says beside its path.
pub trait Said: Sized + 'static {
    /// Whether a request with this method has a body.
    fn has_body(method: &Method) -> bool;

    /// Reads it.
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
            |name: String| FieldError::new(crate::domain::text::clipped(&name, 60), "is not a field of this object");
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
        let pairs: Result<Vec<(String, String)>, _> = form::pairs(request.query_string().as_bytes())
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

/// Whether an operation takes an `Idempotency-Key`.
pub trait Repetition: 'static {
    /// Whether it does.
    const IS_REPEATABLE: bool;
}

/// It does not.
pub enum Once {}

impl Repetition for Once {
    const IS_REPEATABLE: bool = false;
}

/// It does.
pub enum Repeatable {}

impl Repetition for Repeatable {
    const IS_REPEATABLE: bool = true;
}

/// The request under its `Idempotency-Key`, if it has one.
fn repeatable(
    request: &HttpRequest,
    state: &State,
    caller: &Caller,
    body: &Bytes,
) -> Result<Option<RepeatableRequest>, ApiError> {
    let keys: Vec<&HeaderValue> = request.headers().get_all(&IDEMPOTENCY_KEY).collect();
    let key = match keys.as_slice() {
        [] => return Ok(None),
        [key] => key.to_str().unwrap_or_default(),
        _ => return Err(ApiError::Fields(vec![FieldError::new("Idempotency-Key", "is repeated")])),
    };
    let target = (request.method().as_str(), request.path());
    state.services.idempotency.request(caller, key, target, body).map(Some).map_err(ApiError::Unread)
}

/// The fields of a request that carry credentials.
pub fn credential_fields(request: &HttpRequest) -> CredentialFields<'_> {
    CredentialFields {
        api_key: request.headers().get_all(&API_KEY_FIELD).map(HeaderValue::as_bytes).collect(),
        authorization: request.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes).collect(),
    }
}

/// The caller, if it has the permission `P`. How its limits are, and who it is, is noted for the middleware.
async fn authorize<P: Permission>(
    request: &HttpRequest,
    state: &State,
    origin: &Arc<Origin>,
) -> Result<Caller, Unauthorized> {
    let requirement = Requirement { permission: P::NAME, counts: P::COUNTS };
    match state.services.access.authorize_caller(&credential_fields(request), requirement, origin).await {
        Ok(authorized) => {
            let mut extensions = request.extensions_mut();
            if let Some(status) = authorized.rate_limit {
                extensions.insert(status);
            }
            extensions.insert(authorized.caller.clone());
            Ok(authorized.caller)
        }
        Err(refused) => {
            if let Unauthorized::RateLimited(status) = refused {
                request.extensions_mut().insert(status);
            }
            Err(refused)
        }
    }
}

impl<P: Permission, I: Said, R: Repetition> FromRequest for Call<P, I, R> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let Some(state) = request.app_data::<Data<State>>() else {
                return Err(ApiError::Unauthorized(Unauthorized::Unavailable));
            };
            let body: Result<Bytes, BodyError> = if I::has_body(request.method()) {
                body::read(payload, BODY_MAX, state.server.request_timeout).await
            } else {
                Ok(Bytes::new())
            };
            let origin = origin_of(&request);
            let caller = authorize::<P>(&request, state, &origin).await.map_err(ApiError::Unauthorized)?;
            let body = body.map_err(ApiError::Body)?;
            let input = I::read(&request, &body)?;
            let repeat = if R::IS_REPEATABLE { repeatable(&request, state, &caller, &body)? } else { None };
            Ok(Self { caller, origin, input, repeat, signature: PhantomData })
        })
    }
}

impl<P: Permission, I: Said, R: Repetition> Describe for Call<P, I, R> {
    fn describe(doc: &mut OperationDoc) {
        doc.remark(&format!("Needs the permission `{}`.", P::NAME));
        doc.operation.security =
            Some(vec![SecurityRequirement::new(BEARER, [P::NAME]), SecurityRequirement::new(API_KEY, [P::NAME])]);
        I::describe(doc);
        if R::IS_REPEATABLE {
            let parameter = ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .description(Some(
                    "Makes it safe to send the request again: within a day it is done once. A repeated request gets the \
                     object as it is now, and for one hour the secret that the first response showed.",
                ))
                .schema(Some(string("^[!-~]+$").max_length(Some(255))))
                .build();
            doc.operation.parameters.get_or_insert_default().push(parameter.into());
            doc.problems(&["409", "410", "422"]);
        }
        doc.problems(&["400", "401", "403", "429", "503", "default"]);
    }
}
