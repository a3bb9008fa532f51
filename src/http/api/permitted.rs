//! What a handler requires stands in its signature: `Permitted<ClientsWrite>` is a caller who may write clients.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;

use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::permission;
use crate::http::describe::{Describe, add_problems};
use crate::http::envelope::origin_of;
use crate::http::{State, error};
use crate::service::authorize_caller::{Authorized, Requirement, Unauthorized};
use crate::service::presented::CredentialFields;

/// A management permission as a type.
pub trait Permission: 'static {
    /// The permission.
    const NAME: &'static str;
    /// Whether the call counts towards the caller's limits.
    const COUNTS: bool;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $constant:ident;)*) => {$(
        $(#[$doc])*
        pub enum $name {}
        impl Permission for $name {
            const NAME: &'static str = permission::$constant;
            const COUNTS: bool = true;
        }
    )*};
}

permissions! {
    /// Read clients.
    ClientsRead = CLIENTS_READ;
    /// Create and change clients.
    ClientsWrite = CLIENTS_WRITE;
    /// Read API keys.
    KeysRead = KEYS_READ;
    /// Create and change API keys.
    KeysWrite = KEYS_WRITE;
    /// Read customers.
    CustomersRead = CUSTOMERS_READ;
    /// Create and change customers.
    CustomersWrite = CUSTOMERS_WRITE;
    /// Read users.
    UsersRead = USERS_READ;
    /// Create and change users.
    UsersWrite = USERS_WRITE;
    /// Read roles.
    RolesRead = ROLES_READ;
    /// Create and change roles.
    RolesWrite = ROLES_WRITE;
    /// Read the scope registry.
    ScopesRead = SCOPES_READ;
    /// Change the scope registry.
    ScopesWrite = SCOPES_WRITE;
    /// Read signing keys.
    SigningKeysRead = SIGNING_KEYS_READ;
    /// Rotate and destroy signing keys.
    SigningKeysWrite = SIGNING_KEYS_WRITE;
    /// Read the audit log.
    AuditRead = AUDIT_READ;
}

/// Ask whether an API key is valid. Who does so for every request of others is not held to limits of its own.
pub enum KeysVerify {}

impl Permission for KeysVerify {
    const NAME: &'static str = permission::KEYS_VERIFY;
    const COUNTS: bool = false;
}

/// A caller that was authenticated and has the permission `P`.
pub struct Permitted<P> {
    /// Who calls.
    pub caller: Caller,
    /// Where the call came from.
    pub origin: Arc<Origin>,
    permission: PhantomData<P>,
}

/// A call that was turned away.
#[derive(Debug)]
pub struct Refused(Unauthorized);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused with {}", self.0.status())
    }
}

impl actix_web::ResponseError for Refused {
    fn error_response(&self) -> HttpResponse {
        error::unauthorized(self.0)
    }
}

/// The fields of a request that carry credentials.
pub fn credential_fields(request: &HttpRequest) -> CredentialFields<'_> {
    CredentialFields {
        api_key: request.headers().get_all(&API_KEY).map(HeaderValue::as_bytes).collect(),
        authorization: request.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes).collect(),
    }
}

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");

impl<P: Permission> FromRequest for Permitted<P> {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Some(state) = request.app_data::<web::Data<State>>() else {
                return Err(Refused(Unauthorized::Unavailable));
            };
            let origin = origin_of(&request);
            let requirement = Requirement { permission: P::NAME, counts: P::COUNTS };
            let authorized = state.services.authorize_caller(&credential_fields(&request), requirement, &origin).await;
            match authorized {
                Ok(Authorized { caller, standing }) => {
                    if let Some(standing) = standing {
                        request.extensions_mut().insert(standing);
                    }
                    // For the event of a call that does not reach its verb.
                    request.extensions_mut().insert(caller.clone());
                    Ok(Self { caller, origin, permission: PhantomData })
                }
                Err(refused) => {
                    if let Unauthorized::RateLimited(standing) = refused {
                        request.extensions_mut().insert(standing);
                    }
                    Err(Refused(refused))
                }
            }
        })
    }
}

impl<P: Permission> Describe for Permitted<P> {
    fn describe(operation: &mut Operation) {
        let needs = format!("Needs the permission `{}`.", P::NAME);
        operation.description = Some(match operation.description.take() {
            Some(description) => format!("{description}\n\n{needs}"),
            None => needs,
        });
        operation.security = Some(vec![
            SecurityRequirement::new(super::BEARER, [P::NAME]),
            SecurityRequirement::new(super::API_KEY, [P::NAME]),
        ]);
        add_problems(operation, &["401", "403", "429", "503", "default"]);
    }
}
