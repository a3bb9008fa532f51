//! Lists by cursor: `limit`, `cursor` and filters in the query; `{"data": […], "next_cursor": …}` in the answer.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::{IntoParams, ToSchema};

use crate::http::describe::{Describe, add_problems};
use crate::http::error::ApiError;
use crate::oauth::form;
use crate::service::error::{FieldError, ServiceError};

const LIMIT_MAX: i64 = 1000;
const LIMIT: i64 = 50;

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    /// Newest first.
    data: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What every list takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `page` and its callers read")]
pub struct PageParameters {
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A list's query, read name by name; what is left unread is unknown.
pub struct Query {
    parameters: Vec<(String, String)>,
    read: Vec<&'static str>,
    wrong: Vec<FieldError>,
}

impl FromRequest for Query {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let mut wrong = Vec::new();
        let mut parameters = Vec::new();
        for pair in form::pairs(request.query_string().as_bytes()) {
            let Ok((name, value)) = pair else {
                wrong.push(FieldError::new("query", "is not well-formed"));
                break;
            };
            parameters.push((name.into_owned(), value.into_owned()));
        }
        ready(Ok(Self { parameters, read: vec![], wrong }))
    }
}

impl Describe for Query {
    fn describe(operation: &mut Operation) {
        add_problems(operation, &["422"]);
    }
}

impl Query {
    /// A parameter, if it is there and can be read.
    pub fn get<T: FromStr>(&mut self, name: &'static str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        self.read.push(name);
        let mut values = self.parameters.iter().filter(|(seen, _)| seen == name).map(|(_, value)| value);
        let value = values.next()?;
        if values.next().is_some() {
            self.wrong.push(FieldError::new(name, "must stand once"));
            return None;
        }
        if value.is_empty() {
            return None;
        }
        if value.chars().any(char::is_control) {
            self.wrong.push(FieldError::new(name, "must not contain control characters"));
            return None;
        }
        value.parse().map_err(|error: T::Err| self.wrong.push(FieldError::new(name, error.to_string()))).ok()
    }

    /// Takes no parameter that is named and left empty: that may be a variable which was not set, and what is asked for then
    /// is not what is meant. Lists take it as not named.
    pub fn refuse_empty(&mut self) {
        let empty = self.parameters.iter().filter(|(_, value)| value.is_empty());
        let wrong = empty.map(|(name, _)| FieldError::new(crate::domain::text::clipped(name, 60), "must not be empty"));
        self.wrong.extend(wrong);
    }

    /// `limit`: 1–1000, 50 unless given.
    pub fn limit(&mut self) -> i64 {
        let limit = self.get::<i64>("limit").unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            self.wrong.push(FieldError::new("limit", "must be 1 to 1000"));
        }
        limit
    }

    /// Done reading.
    ///
    /// # Errors
    /// Everything that was wrong or unknown.
    pub fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in &self.parameters {
            if !self.read.contains(&name.as_str()) && !self.wrong.iter().any(|error| error.field == *name) {
                self.wrong
                    .push(FieldError::new(crate::domain::text::clipped(name, 60), "is not a parameter of this list"));
            }
        }
        if self.wrong.is_empty() { Ok(()) } else { Err(ApiError::Input(ServiceError::Invalid(self.wrong))) }
    }
}

/// The answer for one page. `rows` has one more than `limit` where there is a next page; the cursor is the last row shown.
pub fn page<T>(
    mut rows: Vec<T>,
    limit: i64,
    cursor: impl Fn(&T) -> String,
    view: impl Fn(&T) -> Value,
) -> HttpResponse {
    let limit = usize::try_from(limit).unwrap_or(1);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = if more { rows.last().map(cursor) } else { None };
    let data: Vec<Value> = rows.iter().map(view).collect();
    super::private_json(200, &json!(Page { data, next_cursor }))
}
