//! What a handler's arguments mean for its callers, said in the OpenAPI document: a permission, errors.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path, Payload};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Ref, RefOr};

/// Adds to an operation what an argument of its handler brings along.
pub trait Describe {
    /// Adds it.
    fn describe(_operation: &mut Operation) {}
}

/// The errors that the document has a shared answer for: status, the answer's name, when it comes.
pub const PROBLEMS: [(&str, &str, &str); 11] = [
    ("400", "Malformed", "The body could not be read, or is not a JSON object."),
    ("401", "Unauthorized", "There is no bearer token or API key, or not one that is in force and for this API."),
    ("403", "Forbidden", "The caller lacks a permission, or would give what it does not hold."),
    ("404", "NotFound", "Nothing has this id, as far as the caller sees."),
    ("408", "TooSlow", "The body did not come in time."),
    ("413", "TooLarge", "The body is larger than 64 KiB."),
    ("415", "UnsupportedMediaType", "The body must be `application/json`."),
    ("422", "Unusable", "Some fields or parameters cannot be used; `errors` names them."),
    ("429", "TooMany", "The caller is over its limits; `Retry-After` says when to try again."),
    ("503", "Unavailable", "The service cannot decide, do or record this now; `Retry-After` says when to try again."),
    ("default", "Problem", "Anything else."),
];

/// Refers to the shared answers for these statuses, where the operation has none of its own.
pub fn add_problems(operation: &mut Operation, statuses: &[&str]) {
    for (status, name, _) in PROBLEMS.into_iter().filter(|(status, ..)| statuses.contains(status)) {
        let answer = RefOr::Ref(Ref::from_response_name(name));
        operation.responses.responses.entry(status.to_owned()).or_insert(answer);
    }
}

impl Describe for HttpRequest {}

impl<T: ?Sized> Describe for Data<T> {}

impl<T> Describe for Path<T> {
    fn describe(operation: &mut Operation) {
        add_problems(operation, &["404"]);
    }
}

impl Describe for Payload {
    fn describe(operation: &mut Operation) {
        add_problems(operation, &["400", "408", "413", "415", "422"]);
    }
}

macro_rules! describe_arguments {
    ($(($($argument:ident),*))*) => {$(
        impl<$($argument: Describe),*> Describe for ($($argument,)*) {
            fn describe(_operation: &mut Operation) {
                $($argument::describe(_operation);)*
            }
        }
    )*};
}

describe_arguments! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }
