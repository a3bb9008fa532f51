//! RFC 9457 problems.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::ProblemCode;
use crate::domain::field_error::FieldError;

/// The type of a problem that its code alone distinguishes.
const BLANK: &str = "about:blank";
/// The type that the draft of the `RateLimit` fields registers.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// Why a request failed (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`, except for rate limits: `code` tells problems apart.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    code: ProblemCode,
    /// One sentence for people.
    detail: String,
    /// The fields or parameters that are invalid, with the code `invalid_input`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
    /// What the credential may not be used for, with the code `forbidden`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    forbidden: Option<&'static str>,
    /// The scopes that are needed, with the code `insufficient_scope`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    scopes: Vec<String>,
    /// The rate limits that are exceeded, with the code `rate_limited`.
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    violated_policies: Vec<&'static str>,
}

/// A field or parameter that is invalid.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its name.
    #[schema(examples("scopes"))]
    field: String,
    /// What is wrong with it, as the end of a sentence.
    #[schema(examples("must name at least one scope"))]
    detail: String,
}

impl Problem {
    /// A problem with this code.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: BLANK,
            title: status(code.status()).canonical_reason().unwrap_or("Error"),
            status: code.status(),
            code,
            detail: detail.into(),
            errors: vec![],
            forbidden: None,
            scopes: vec![],
            violated_policies: vec![],
        }
    }

    /// The same with the status of an unknown sender: a gateway must not let the request pass.
    #[must_use]
    pub fn unauthenticated(self) -> Self {
        Self { status: 401, title: status(401).canonical_reason().unwrap_or("Error"), ..self }
    }

    /// Fields or parameters that are invalid.
    pub fn invalid(errors: &[FieldError]) -> Self {
        let errors =
            errors.iter().map(|error| FieldProblem { field: error.field.clone(), detail: error.wrong.clone() });
        Self { errors: errors.collect(), ..Self::new(ProblemCode::InvalidInput, "Some fields are invalid.") }
    }

    /// A credential may not be used for `what`.
    pub fn forbidden(what: &'static str) -> Self {
        let detail = format!("The credential may not be used for this {what}.");
        Self { forbidden: Some(what), ..Self::new(ProblemCode::Forbidden, detail) }
    }

    /// A credential lacks one of these scopes.
    pub fn insufficient_scope(scopes: Vec<String>) -> Self {
        let detail = format!("This needs the scope {}.", scopes.join(" "));
        Self { scopes, ..Self::new(ProblemCode::InsufficientScope, detail) }
    }

    /// A credential is over these rate limits.
    pub fn rate_limited(violated_policies: Vec<&'static str>) -> Self {
        let detail = "The credential is over its rate limit. Try again later.";
        Self { r#type: QUOTA_EXCEEDED, violated_policies, ..Self::new(ProblemCode::RateLimited, detail) }
    }

    /// The response. It may be tried again after a second where the service is at fault for now.
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(status(self.status));
        if self.code == ProblemCode::Unavailable {
            response.insert_header((RETRY_AFTER, "1"));
        }
        let mut response = response
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/problem+json")))
            .body(serde_json::to_string(self).unwrap_or_default());
        response.extensions_mut().insert(self.code);
        response
    }
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
