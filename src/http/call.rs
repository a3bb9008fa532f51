//! A call to the management API: who calls, from where, and with what input. A handler's signature has what the call
//! requires: `Call<ClientsWrite, ClientCreate, Repeatable>`.
//!
//! The body is read and bounded first, then the caller is authorised, so that no caller stays authorised while a body
//! trickles in. The body is parsed last: only callers who may are told what is wrong with it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;

use super::body::{self, BodyError};
use super::describe::{Describe, OperationDoc};
use super::error::ApiError;
use super::middleware::origin_of;
use super::permission::Permission;
use super::said::Said;
use super::{API_KEY, BEARER, State};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::field_error::FieldError;
use crate::oauth::extract_credential::CredentialFields;
use crate::service::access::{Requirement, Unauthorized};
use crate::service::idempotency::RepeatableRequest;
use crate::view::text::string;

/// Largest body of the management API, in bytes.
const BODY_MAX: usize = 64 * 1024;

static API_KEY_FIELD: HeaderName = HeaderName::from_static("x-api-key");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A call with the input `I` by a caller with the permission `P`, who may repeat it if `R` is [`Repeatable`].
pub struct Call<P, I = (), R = Once> {
    /// Who calls.
    pub caller: Caller,
    /// Where the call came from.
    pub origin: Arc<Origin>,
    /// The body or the query, parsed.
    pub input: I,
    /// Tells repeated requests from others, if the request has an `Idempotency-Key`.
    pub repeat: Option<RepeatableRequest>,
    signature: PhantomData<fn() -> (P, R)>,
}

/// Whether an operation takes an `Idempotency-Key`.
pub trait Repetition: 'static {
    /// Whether it does.
    const IS_REPEATABLE: bool;
}

pub enum Once {}

impl Repetition for Once {
    const IS_REPEATABLE: bool = false;
}

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
    let content: [&[u8]; 3] = [request.method().as_str().as_bytes(), request.path().as_bytes(), body];
    state.services.idempotency.request(caller, key, &content).map(Some).map_err(ApiError::Unread)
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
                    "Makes it safe to send the request again: within a day it is done once. A repeated request gets \
                     the object as it is now, and for one hour the secret that the first response showed.",
                ))
                .schema(Some(string("^[!-~]+$").max_length(Some(255))))
                .build();
            doc.operation.parameters.get_or_insert_default().push(parameter.into());
            doc.problems(&["409", "410", "422"]);
        }
        doc.problems(&["400", "401", "403", "429", "503", "default"]);
    }
}
