//! Lists by cursor: `limit`, `cursor` and filters in the query; `{"data": […], "next_cursor": …}` in the answer.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::http::error::ApiError;
use crate::oauth::form::Form;
use crate::service::error::{FieldError, ServiceError};

const LIMIT_MAX: i64 = 1000;
const LIMIT: i64 = 50;

/// A list's query, read name by name; what is left unread is unknown.
pub struct Query<'q> {
    parameters: Vec<(String, String)>,
    read: Vec<&'q str>,
    wrong: Vec<FieldError>,
}

impl<'q> Query<'q> {
    /// The parameters of the request's query.
    pub fn of(request: &HttpRequest) -> Self {
        let mut wrong = Vec::new();
        let parameters = if let Ok(form) = Form::parse(request.query_string().as_bytes()) {
            form.into_pairs()
        } else {
            wrong.push(FieldError::new("query", "is not well-formed"));
            vec![]
        };
        Self { parameters, read: vec![], wrong }
    }

    /// A parameter, if it is there and can be read.
    pub fn get<T: FromStr>(&mut self, name: &'q str) -> Option<T>
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
        if value.chars().any(char::is_control) {
            self.wrong.push(FieldError::new(name, "must not contain control characters"));
            return None;
        }
        value.parse().map_err(|error: T::Err| self.wrong.push(FieldError::new(name, error.to_string()))).ok()
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
            if !self.read.contains(&name.as_str()) {
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
    super::private_json(200, &json!({"data": data, "next_cursor": next_cursor}))
}
