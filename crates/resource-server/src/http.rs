//! Sends requests to Sealwright, bounded in time and size and without redirects.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;

const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The length of the longest body that is read.
const BODY_MAX: usize = 64 * 1024;

/// The reason why a fetch failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0:?}")]
    Transport(#[from] reqwest::Error),
    #[error("the status is {0}")]
    Status(StatusCode),
    #[error("the body is too long")]
    TooLong,
    #[error("the body is malformed: {0}")]
    Content(#[from] serde_json::Error),
    #[error("{0}")]
    Url(#[from] UrlError),
    #[error("the metadata is of another issuer: {0:?}")]
    OtherIssuer(String),
    #[error("two keys have the same id: {0:?}")]
    DuplicateKeyId(String),
}

/// The reason why an address is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("{0:?} is not a URL")]
    Malformed(String),
    #[error("{0:?} is neither https nor on this machine")]
    Insecure(String),
    #[error("the URL has a user, a query or a fragment")]
    Excess,
}

#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    insecure: bool,
}

impl Http {
    /// Builds the client. `insecure` allows plain HTTP to other machines.
    pub(crate) fn new(insecure: bool) -> reqwest::Result<Self> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // The requests carry secrets.
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self { client, insecure })
    }

    /// Parses an address. Plain HTTP to another machine is refused: anyone who can change a response can publish their
    /// own keys.
    pub(crate) fn url(&self, text: &str) -> Result<Url, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Malformed(text.to_owned()))?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Excess);
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.insecure || url.host_str().is_some_and(is_loopback) => Ok(url),
            _ => Err(UrlError::Insecure(text.to_owned())),
        }
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Sends a request. Returns the response if its status is 200.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, FetchError> {
    let response = request.send().await?;
    match response.status() {
        StatusCode::OK => Ok(response),
        other => Err(FetchError::Status(other)),
    }
}

/// Reads the JSON body of a response.
pub(crate) async fn read<T: DeserializeOwned>(mut response: Response) -> Result<T, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > BODY_MAX {
            return Err(FetchError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_asked() {
        let strict = Http::new(false).unwrap();
        for url in ["https://auth.example", "http://127.0.0.1:8080", "http://[::1]:1/a", "http://localhost/staging"] {
            assert!(strict.url(url).is_ok(), "{url}");
        }
        for url in [
            "http://auth.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "https://user:word@auth.example",
            "https://auth.example?a",
            "https://auth.example#a",
            "auth.example",
            "",
        ] {
            assert!(strict.url(url).is_err(), "{url}");
        }
        assert!(Http::new(true).unwrap().url("http://auth.example").is_ok());
    }
}
