//! The argument of a handler that requires scopes.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use crate::caller::Caller;
use crate::refusal::{Reason, Refusal};
use crate::scope::RequiredScopes;
use crate::server::ResourceServer;

/// A caller whose valid credential covers the scopes of `S`. A handler with this argument runs only for such callers.
/// It dereferences to the [`Caller`].
///
/// actix-web extracts all arguments concurrently: it may read a body, within the body's own limits, before the caller
/// is authorized.
///
/// ```
/// use actix_web::get;
/// use sealwright_resource_server::{Authorized, scopes};
///
/// scopes! { OrdersRead = "orders:read"; }
///
/// #[get("/orders")]
/// async fn orders(caller: Authorized<OrdersRead>) -> String {
///     format!("the orders that {} may see", caller.credential)
/// }
/// ```
pub struct Authorized<S> {
    caller: Caller,
    scopes: PhantomData<S>,
}

impl<S> Authorized<S> {
    /// Returns the caller by value.
    ///
    /// ```
    /// use sealwright_resource_server::{AnyCaller, Authorized, Caller};
    ///
    /// async fn orders(caller: Authorized<AnyCaller>) -> String {
    ///     let caller: Caller = caller.into_caller();
    ///     caller.credential
    /// }
    /// ```
    pub fn into_caller(self) -> Caller {
        self.caller
    }
}

impl<S> Deref for Authorized<S> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<S> fmt::Debug for Authorized<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.caller).finish()
    }
}

impl<S: RequiredScopes> FromRequest for Authorized<S> {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Some(server) = resource_server(&request) else {
                log::error!("no ResourceServer in app_data: every request to a protected handler is refused");
                return Err(Refusal::new(Reason::Misconfigured, "".into()));
            };
            let caller = server.authorize(&request, S::SCOPES).await?;
            Ok(Self { caller, scopes: PhantomData })
        })
    }
}

/// Finds the resource server in `app_data`, by itself or wrapped in `web::Data`.
fn resource_server(request: &HttpRequest) -> Option<&ResourceServer> {
    let wrapped = || request.app_data::<web::Data<ResourceServer>>().map(web::Data::get_ref);
    request.app_data::<ResourceServer>().or_else(wrapped)
}
