//! The status number of each disposition, which audit events store.

use crate::domain::audit::Disposition;

/// Returns the HTTP status of a disposition; 0 where no response is awaited.
pub const fn status_of(disposition: Disposition) -> u16 {
    match disposition {
        Disposition::Unattended => 0,
        Disposition::Ok => 200,
        Disposition::Created => 201,
        Disposition::NoContent => 204,
        Disposition::Malformed => 400,
        Disposition::Unauthenticated => 401,
        Disposition::Forbidden => 403,
        Disposition::NotFound => 404,
        Disposition::MethodNotAllowed => 405,
        Disposition::TooSlow => 408,
        Disposition::Conflict => 409,
        Disposition::Gone => 410,
        Disposition::BodyTooLarge => 413,
        Disposition::TargetTooLong => 414,
        Disposition::UnsupportedMediaType => 415,
        Disposition::Invalid => 422,
        Disposition::TooMany => 429,
        Disposition::HeadTooLarge => 431,
        Disposition::Failed => 500,
        Disposition::Unavailable => 503,
    }
}
