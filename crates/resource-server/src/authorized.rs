//! What a handler requires, in its signature.

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

/// A caller whose credential is in force and covers the scopes of `S`. As an argument of a handler it is what lets the
/// handler run; it is used as the [`Caller`] that it has.
///
/// actix-web extracts all arguments side by side: while Sealwright is asked, a body may already be read, within its own limits.
pub struct Authorized<S> {
    caller: Caller,
    scopes: PhantomData<S>,
}

impl<S> Authorized<S> {
    /// The caller, to keep.
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
                log::error!("no ResourceServer in app_data, so that nothing can be authorized");
                return Err(Refusal::new(Reason::Misconfigured, "".into()));
            };
            let caller = server.authorize(&request, S::SCOPES).await?;
            Ok(Self { caller, scopes: PhantomData })
        })
    }
}

/// The resource server among the `app_data`, by itself or wrapped as actix-web's own documents have it.
fn resource_server(request: &HttpRequest) -> Option<&ResourceServer> {
    let wrapped = || request.app_data::<web::Data<ResourceServer>>().map(web::Data::get_ref);
    request.app_data::<ResourceServer>().or_else(wrapped)
}
