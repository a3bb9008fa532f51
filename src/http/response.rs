//! Responses of the management API. What a handler returns says which status goes with it, and what the document shows.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::ResponseBuilder;

use super::describe::{Describe, OperationDoc};
use super::error::ApiError;
use crate::view::page::Page;

/// What a handler of the management API returns.
pub type ApiResult<R> = Result<R, ApiError>;
/// A page of a list.
pub type Paged<T> = Shown<Page<T>>;

/// JSON that only its receiver may keep.
pub fn private_json(status: u16, body: String) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(body)
}

/// Writes a view straight to text.
fn written(view: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(view).map_err(|error| ApiError::Internal(error.to_string()))
}

macro_rules! responses {
    ($($(#[$doc:meta])+ $name:ident = $status:literal, $problems:expr;)*) => {$(
        $(#[$doc])+
        pub struct $name<T> {
            body: String,
            view: PhantomData<fn() -> T>,
        }

        impl<T> $name<T> {
            /// Shows `view`.
            ///
            /// # Errors
            /// It cannot be written.
            pub fn of(view: &T) -> ApiResult<Self>
            where
                T: Serialize,
            {
                Ok(Self { body: written(view)?, view: PhantomData })
            }
        }

        impl<T> Responder for $name<T> {
            type Body = BoxBody;

            fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
                private_json($status, self.body)
            }
        }

        impl<T: ToSchema> Describe for $name<T> {
            fn describe(doc: &mut OperationDoc) {
                let response = doc.json::<T>("application/json");
                doc.respond(stringify!($status), response);
                doc.problems($problems);
            }
        }
    )*};
}

responses! {
    /// An object, or a page of a list.
    Shown = 200, &[];
    /// An object after a change.
    Updated = 200, &["409"];
    /// A new object.
    Created = 201, &["409"];
}

impl<T> Shown<T> {
    /// Shows `view`, which is a `T` with borrowed members.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn borrowed(view: &impl Serialize) -> ApiResult<Self> {
        Ok(Self { body: written(view)?, view: PhantomData })
    }
}

/// It was deleted: there is nothing to show.
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Describe for NoContent {
    fn describe(doc: &mut OperationDoc) {
        doc.respond("204", ResponseBuilder::new().description("It is deleted.").build());
        doc.problems(&["409"]);
    }
}
