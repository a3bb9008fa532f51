//! A backend that calls a protected API with a token from Sealwright.
//!
//! ```text
//! SEALWRIGHT_ISSUER         the issuer, such as https://auth.example.com
//! SEALWRIGHT_CLIENT_ID      the client
//! SEALWRIGHT_CLIENT_SECRET  its secret
//! API_URL                   the API to call, such as https://api.example.com/orders
//!
//! client [--calls N]
//! ```
//!
//! [`TokenSource`] and [`send`] are the parts to reuse: a token is fetched once and shared by all calls and tasks until
//! shortly before it expires.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for the terminal

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use reqwest::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

const ATTEMPTS: u32 = 5;
/// A longer `Retry-After` is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Sends a request; retries after 429, 503 and network failures.
///
/// Only for requests that may be repeated. A token request is one: a lost response leaves at most an unused token
/// behind.
async fn send(request: impl Fn() -> RequestBuilder) -> reqwest::Result<Response> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        // Exponential backoff. The random part keeps clients that failed together from retrying together.
        let mut wait = Duration::from_millis(250 << attempt).mul_f64(0.5 + fastrand::f64() / 2.0);
        match request().send().await {
            Ok(response) => {
                wait = wait.saturating_add(retry_after(&response));
                if !matches!(response.status().as_u16(), 429 | 503) || attempt == ATTEMPTS || wait > LONGEST_WAIT {
                    return Ok(response);
                }
            }
            Err(error) if attempt == ATTEMPTS || error.is_builder() => return Err(error),
            Err(_) => {}
        }
        tokio::time::sleep(wait).await;
    }
}

/// The wait that a Retry-After header asks for (RFC 9110 section 10.2.3), or zero.
fn retry_after(response: &Response) -> Duration {
    let value = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let seconds = value.parse().ok().map(Duration::from_secs);
    let date = || httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok();
    seconds.or_else(date).unwrap_or_default()
}

/// Why the issuer gave no token.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error("{0}")]
    Network(#[from] reqwest::Error),
    /// RFC 6749 section 5.2.
    #[error("{url} answered {status} {error} {description}")]
    Refused { url: String, status: StatusCode, error: String, description: String },
    #[error("{url} {reason}")]
    Unusable { url: String, reason: String },
}

/// The client credentials grant (RFC 6749 section 4.4).
struct TokenSource {
    http: Client,
    issuer: String,
    client_id: String,
    client_secret: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    endpoint: Option<String>,
    token: Option<Token>,
    requests: u32,
}

struct Token {
    value: String,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: u32,
}

impl TokenSource {
    fn new(http: Client, issuer: String, client_id: &str, client_secret: &str) -> Self {
        // RFC 6749 section 2.3.1: id and secret are form-urlencoded before Basic joins them.
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let (client_id, client_secret) = (encode(client_id), encode(client_secret));
        Self { http, issuer, client_id, client_secret, state: Mutex::default() }
    }

    /// The current token, or a new one when the current one is about to expire.
    async fn get(&self) -> Result<String, TokenError> {
        let mut state = self.state.lock().await; // concurrent tasks wait for one request
        if let Some(token) = &state.token
            && Instant::now() < token.renew_at
        {
            return Ok(token.value.clone());
        }
        let token = self.fetch(&mut state).await?;
        Ok(state.token.insert(token).value.clone())
    }

    /// Drops a refused token, unless another task has replaced it already.
    async fn forget(&self, refused: &str) {
        self.state.lock().await.token.take_if(|token| token.value == refused);
    }

    async fn fetch(&self, state: &mut State) -> Result<Token, TokenError> {
        let url = match &mut state.endpoint {
            Some(url) => url,
            none => none.insert(self.discover().await?),
        };
        let asked_at = Instant::now();
        state.requests += 1;
        let request = || {
            let request = self.http.post(url.as_str()).basic_auth(&self.client_id, Some(&self.client_secret));
            request.form(&[("grant_type", "client_credentials")])
        };
        let response: TokenResponse = ask(url, request).await?;
        // A token of an unknown type must not be used (RFC 6749 section 7.1).
        if !response.token_type.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Unusable {
                url: url.clone(),
                reason: "answered without a bearer token".to_owned(),
            });
        }
        // Renew a minute early, so that no token expires on its way to the API. A token with a short lifetime is
        // renewed after nine tenths of it.
        let lifetime = Duration::from_secs(response.expires_in.into());
        let early = (lifetime / 10).min(Duration::from_secs(60));
        Ok(Token { value: response.access_token, renew_at: asked_at + lifetime.saturating_sub(early) })
    }

    /// The token endpoint, from the metadata of the issuer (RFC 8414).
    async fn discover(&self) -> Result<String, TokenError> {
        let url = format!("{}/.well-known/oauth-authorization-server", self.issuer.trim_end_matches('/'));
        let metadata: Metadata = ask(&url, || self.http.get(&url)).await?;
        if metadata.issuer != self.issuer {
            // RFC 8414 section 3.3
            let reason = format!("speaks for {:?}, not for {:?}", metadata.issuer, self.issuer);
            return Err(TokenError::Unusable { url, reason });
        }
        Ok(metadata.token_endpoint)
    }

    async fn requests(&self) -> u32 {
        self.state.lock().await.requests
    }
}

/// The JSON of a successful response of the issuer.
async fn ask<T: DeserializeOwned>(url: &str, request: impl Fn() -> RequestBuilder) -> Result<T, TokenError> {
    let response = send(request).await?;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response.json().await?);
    }
    let body: Value = response.json().await.unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (error, description) = (text("error"), text("error_description"));
    Err(TokenError::Refused { url: url.to_owned(), status, error, description })
}

/// Calls the API with `GET`. A token may be revoked before it expires, so a refused one is replaced, once.
async fn call(http: &Client, url: &str, tokens: &TokenSource) -> Result<Response, TokenError> {
    let token = tokens.get().await?;
    let response = send(|| http.get(url).bearer_auth(&token)).await?;
    if response.status() != StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    tokens.forget(&token).await;
    let token = tokens.get().await?;
    Ok(send(|| http.get(url).bearer_auth(&token)).await?)
}

/// Call a protected API with a token from Sealwright.
#[derive(Parser)]
struct Arguments {
    /// How many calls to make
    #[arg(long, value_name = "N", default_value_t = 2)]
    calls: u32,
}

async fn run(arguments: &Arguments, settings: [String; 4]) -> Result<bool, TokenError> {
    let [issuer, client_id, client_secret, api_url] = settings;
    let http = Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .redirect(redirect::Policy::none())
        .build()?;
    let tokens = TokenSource::new(http.clone(), issuer, &client_id, &client_secret);
    let mut all_succeeded = true;
    for number in 1..=arguments.calls {
        let response = call(&http, &api_url, &tokens).await?;
        let status = response.status();
        if !status.is_success() {
            all_succeeded = false;
            let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
            eprintln!("client: {}", challenge.unwrap_or(status.canonical_reason().unwrap_or_default()));
        }
        let body: Value = response.json().await.unwrap_or_else(|_| json!({}));
        let requests = tokens.requests().await;
        println!("{}", json!({"call": number, "status": status.as_u16(), "token_requests": requests, "body": body}));
    }
    Ok(all_succeeded)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let names = ["SEALWRIGHT_ISSUER", "SEALWRIGHT_CLIENT_ID", "SEALWRIGHT_CLIENT_SECRET", "API_URL"];
    let settings = names.map(|name| std::env::var(name).unwrap_or_default());
    if let Some(missing) = settings.iter().position(String::is_empty) {
        eprintln!("client: set {} in the environment", names[missing]);
        return ExitCode::from(2);
    }
    match run(&arguments, settings).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The sources of a reqwest error have the reason.
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let causes: Vec<String> = causes.map(ToString::to_string).collect();
            eprintln!("client: {}", causes.join(": "));
            ExitCode::FAILURE
        }
    }
}
