//! A last resort for faults: a handler that panics gives one 500, and the worker continues.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use futures_util::FutureExt as _;

use super::origin::REQUEST_ID;
use super::path_kind;
use crate::domain::audit::Origin;
use crate::http::error;

#[derive(Debug)]
struct Panicked(Arc<Origin>);

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a handler panicked")
    }
}

impl actix_web::ResponseError for Panicked {
    fn error_response(&self) -> HttpResponse {
        let mut response = error::internal(path_kind(&self.0.path));
        if let Ok(value) = HeaderValue::from_str(self.0.request_id.as_str()) {
            response.headers_mut().insert(REQUEST_ID.clone(), value);
        }
        response
    }
}

/// What `handled` gives, or an error if it panics.
///
/// # Errors
/// Its own, or it panicked.
pub async fn caught<T>(
    handled: impl Future<Output = Result<T, actix_web::Error>>,
    origin: &Arc<Origin>,
) -> Result<T, actix_web::Error> {
    let Ok(result) = AssertUnwindSafe(handled).catch_unwind().await else {
        log::error!(request_id = origin.request_id.as_str(); "a handler panicked");
        return Err(Panicked(Arc::clone(origin)).into());
    };
    result
}
