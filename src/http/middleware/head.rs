//! Bounds on a request's head.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;

use super::path_kind;
use crate::http::error::{self, ProblemCode};

/// Largest head, names and values together, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// Most fields of a head; below the 96 that actix-http reads, so that the response is one of ours.
const FIELDS_MAX: usize = 90;
/// Longest path and query, in bytes.
const TARGET_MAX: usize = 8 * 1024;

/// Refuses a head that is out of bounds.
pub fn refuse(request: &ServiceRequest) -> Option<HttpResponse> {
    let kind = || path_kind(request.path());
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > TARGET_MAX) {
        return Some(error::head_refused(kind(), ProblemCode::UriTooLong, "The request target is too long."));
    }
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (size > HEAD_MAX || headers.len() > FIELDS_MAX)
        .then(|| error::head_refused(kind(), ProblemCode::HeadTooLarge, "The request head is too large."))
}
