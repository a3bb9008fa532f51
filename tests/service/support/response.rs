//! Responses, read to their end.

use reqwest::blocking::Response as HttpResponse;
use serde_json::Value;

/// A response with its body, as text and as JSON.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Header fields.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Response {
    /// Reads a response to its end, which must come.
    pub fn of(received: HttpResponse) -> Self {
        let (status, headers) = (received.status().as_u16(), received.headers().clone());
        let text = received.text().unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, body }
    }

    /// A header field's only value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
