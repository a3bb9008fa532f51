//! A fake Sealwright whose responses the tests choose, and a service that trusts it.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use sealwright_resource_server::{Authorized, Builder, CallerKind, ResourceServer, scopes};
use serde_json::{Value, json};

pub const AUDIENCE: &str = "https://api.example.com";
/// The service's own key.
pub const OWN_KEY: &str = "sw_live_own";

scopes! {
    pub OrdersRead = "orders:read";
    pub Fulfil = "orders:write", "stock:write";
}

/// The responses of the fake, and the requests that it received.
#[derive(Default)]
pub struct Script {
    pub jwks: Mutex<(u16, String, Value)>,
    pub verify: Mutex<(u16, Value)>,
    pub verify_requests: Mutex<Vec<(Option<String>, Value)>>,
    pub key_fetches: AtomicUsize,
    /// How long it takes to send its keys, in milliseconds.
    pub delay: AtomicUsize,
    pub issuer: Mutex<Option<String>>,
}

pub struct Sealwright {
    pub url: String,
    pub script: Arc<Script>,
    pub key: KeyPair,
    handle: actix_web::dev::ServerHandle,
}

async fn metadata(request: HttpRequest, script: web::Data<Script>) -> HttpResponse {
    let url = format!("http://{}", request.connection_info().host());
    let issuer = script.issuer.lock().unwrap().clone().unwrap_or_else(|| url.clone());
    HttpResponse::Ok().json(json!({"issuer": issuer, "jwks_uri": format!("{url}/jwks")}))
}

async fn jwks(script: web::Data<Script>) -> HttpResponse {
    script.key_fetches.fetch_add(1, Ordering::SeqCst);
    let delay = script.delay.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(delay.try_into().unwrap())).await;
    let (status, cache_control, body) = script.jwks.lock().unwrap().clone();
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    response.insert_header(("Cache-Control", cache_control)).insert_header(("Location", "/elsewhere")).json(body)
}

async fn verify(request: HttpRequest, body: web::Json<Value>, script: web::Data<Script>) -> HttpResponse {
    let own = request.headers().get("X-API-Key").map(|value| value.to_str().unwrap().to_owned());
    script.verify_requests.lock().unwrap().push((own, body.into_inner()));
    let (status, body) = script.verify.lock().unwrap().clone();
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(body)
}

impl Sealwright {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = web::Data::new(Script::default());
        let shared = script.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/.well-known/oauth-authorization-server", web::get().to(metadata))
                .route("/jwks", web::get().to(jwks))
                .route("/api/v1/keys/verify", web::post().to(verify))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let this = Self { url, script: script.into_inner(), key, handle };
        this.publish("max-age=300", &[this.jwk("key")]);
        this
    }

    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }

    /// The public part of its key.
    pub fn jwk(&self, kid: &str) -> Value {
        let (x, y) = self.key.public_key_raw()[1..].split_at(32);
        let (x, y) = (base64url(x), base64url(y));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": kid})
    }

    pub fn publish(&self, cache_control: &str, keys: &[Value]) {
        *self.script.jwks.lock().unwrap() = (200, cache_control.to_owned(), json!({"keys": keys}));
    }

    pub fn fail(&self, status: u16) {
        self.script.jwks.lock().unwrap().0 = status;
    }

    pub fn respond(&self, status: u16, body: Value) {
        *self.script.verify.lock().unwrap() = (status, body);
    }

    pub fn key_fetches(&self) -> usize {
        self.script.key_fetches.load(Ordering::SeqCst)
    }

    pub fn builder(&self) -> Builder {
        ResourceServer::builder(self.url.as_str(), AUDIENCE).realm("orders")
    }

    /// The header and the claims of a good token.
    pub fn good(&self) -> (Header, Value) {
        let mut header = Header::new(Algorithm::ES256);
        (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some("key".to_owned()));
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "cli_1", "client_id": "cli_1", "jti": "tok_1", "iat": now,
            "exp": now + 60, "scope": "orders:read stock:read", "environment": "production", "customers": ["acme"],
        });
        (header, claims)
    }

    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = match header.alg {
            Algorithm::ES256 => EncodingKey::from_ec_der(&self.key.serialize_der()),
            _ => EncodingKey::from_secret(self.key.public_key_raw()),
        };
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }

    pub fn token(&self) -> String {
        let (header, claims) = self.good();
        self.sign(&header, &claims)
    }

    pub fn token_of(&self, kid: &str) -> String {
        let (mut header, claims) = self.good();
        header.kid = Some(kid.to_owned());
        self.sign(&header, &claims)
    }

    /// A token of exactly this header and payload, with a valid signature.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let key = EncodingKey::from_ec_der(&self.key.serialize_der());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }
}

/// RFC 4648 section 5, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().chain([0, 0].iter()).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for at in 0..=chunk.len() {
            text.push(char::from(ALPHABET[bits >> (18 - 6 * at) & 63]));
        }
    }
    text
}

async fn orders(caller: Authorized<OrdersRead>) -> web::Json<Value> {
    let kind = if caller.kind == CallerKind::Token { "token" } else { "api_key" };
    web::Json(json!({
        "credential": caller.credential, "kind": kind, "scopes": caller.scopes, "customers": caller.customers,
        "owner": caller.owner, "environment": caller.environment, "token_id": caller.token_id,
    }))
}

async fn fulfil(_: Authorized<Fulfil>) -> &'static str {
    "done"
}

/// Starts a service on a port of its own. Returns its address.
pub fn service(builder: Builder) -> String {
    let server = builder.build().unwrap();
    start(move |config| {
        config.app_data(server.clone());
    })
}

pub fn start(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = move || {
        let app = App::new().configure(configure.clone());
        app.route("/orders", web::get().to(orders)).route("/fulfil", web::post().to(fulfil))
    };
    actix_web::rt::spawn(HttpServer::new(app).workers(2).disable_signals().listen(listener).unwrap().run());
    url
}

pub struct TestResponse {
    pub status: u16,
    pub challenge: String,
    pub retry_after: String,
    pub body: Value,
}

/// Asks for the orders with these headers.
pub async fn get(service: &str, headers: &[(&str, &str)]) -> TestResponse {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("{service}/orders?q=1"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request).await
}

pub async fn call(service: &str, token: &str) -> TestResponse {
    get(service, &[("Authorization", &format!("Bearer {token}"))]).await
}

pub async fn read(request: reqwest::RequestBuilder) -> TestResponse {
    let response = request.send().await.unwrap();
    let header =
        |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    TestResponse {
        status: response.status().as_u16(),
        challenge: header("WWW-Authenticate"),
        retry_after: header("Retry-After"),
        body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default(),
    }
}
