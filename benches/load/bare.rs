//! The baseline of the hot paths: bare actix-web handlers. The token handler parses the same form, signs the same
//! claims with a parsed key and sends the same response; the handlers of verify and forward-auth hash the key and
//! send the same bytes. They look up no credential, check nothing, and have no store, audit log, metrics or log.
//!
//! Usage: `bare-handler ADDRESS WORKERS ALGORITHM`. Not a part of the product.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA};
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use sealwright::clock::Clock;
use sealwright::domain::audience::Audience;
use sealwright::domain::ids::TokenId;
use sealwright::domain::signing_key::Algorithm;
use sealwright::domain::token::{AudClaim, Claims, CustomersClaim, TokenTyp};
use sealwright::parts::{Form, KeyPair, TokenSigner, extract_credentials, install_provider, random, sha256};
use serde::{Deserialize, Serialize};

const USAGE: &str = "usage: bare-handler ADDRESS WORKERS ALGORITHM";
const LIFETIME: i64 = 3600;
const SCOPE: &str = "orders:read orders:write";

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// As long as a real one.
static NO_REQUEST: HeaderValue = HeaderValue::from_static("req_00000000000000000000000000000000");

struct Issuer {
    signer: TokenSigner,
    identifier: String,
    audiences: [Audience; 1],
}

#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
}

async fn token(request: HttpRequest, body: Bytes, issuer: Data<Issuer>) -> HttpResponse {
    match sign(&request, &body, &issuer) {
        Some(access_token) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((PRAGMA, "no-cache"))
            .insert_header((REQUEST_ID.clone(), NO_REQUEST.clone()))
            .json(TokenResponse {
                access_token: &access_token,
                token_type: "Bearer",
                expires_in: LIFETIME,
                scope: SCOPE,
            }),
        None => HttpResponse::BadRequest().finish(),
    }
}

fn sign(request: &HttpRequest, body: &[u8], issuer: &Issuer) -> Option<String> {
    let form = Form::parse(body).ok()?;
    let authorization: Vec<&[u8]> = request.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes).collect();
    let credentials = extract_credentials(&authorization, request.query_string(), &form).ok()?;
    form.get("grant_type").filter(|grant| *grant == "client_credentials")?;
    let now = Clock::system().now();
    let jti: TokenId = random::id(now).ok()?;
    let claims = Claims {
        iss: &issuer.identifier,
        aud: AudClaim(&issuer.audiences),
        sub: &credentials.client_id,
        client_id: &credentials.client_id,
        exp: now.seconds() + LIFETIME,
        iat: now.seconds(),
        jti: jti.as_str(),
        scope: SCOPE,
        environment: "production",
        customers: CustomersClaim(&[]),
    };
    issuer.signer.sign(TokenTyp::AtJwt, &claims).ok()
}

/// The only member that the bare verification reads.
#[derive(Deserialize)]
struct Verification<'k> {
    key: &'k str,
}

/// A response of verify about a key of the load program, as long as a real one.
const VERDICT: &str = concat!(
    r#"{"code":"VALID","customers":[],"environment":"production","expires_at":null,"#,
    r#""id":"key_00000000000000000000000000000000","name":"load","owner":null,"#,
    r#""rate_limit":{"limit":null,"remaining":null,"reset_after":0,"retry_after":0},"#,
    r#""scopes":["orders:read","orders:write"],"type":"partner","valid":true}"#,
);

async fn verify(body: Bytes) -> HttpResponse {
    match serde_json::from_slice::<Verification<'_>>(&body) {
        Ok(verification) => {
            std::hint::black_box(sha256(verification.key.as_bytes()));
            HttpResponse::Ok()
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header((CONTENT_TYPE, "application/json"))
                .insert_header((REQUEST_ID.clone(), NO_REQUEST.clone()))
                .body(VERDICT)
        }
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

async fn forward_auth(request: HttpRequest) -> HttpResponse {
    let Some(key) = request.headers().get("x-api-key") else { return HttpResponse::Unauthorized().finish() };
    std::hint::black_box(sha256(key.as_bytes()));
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((REQUEST_ID.clone(), NO_REQUEST.clone()));
    for (name, value) in [
        ("x-auth-subject", "key_00000000000000000000000000000000"),
        ("x-auth-credential", "key_00000000000000000000000000000000"),
        ("x-auth-type", "api_key"),
        ("x-auth-scopes", SCOPE),
        ("x-auth-customer", ""),
        ("x-auth-environment", "production"),
    ] {
        response.insert_header((HeaderName::from_static(name), HeaderValue::from_static(value)));
    }
    response.finish()
}

fn issuer(address: &str, algorithm: Algorithm) -> Result<Issuer, Box<dyn std::error::Error>> {
    let pair = KeyPair::parse(algorithm, &KeyPair::generate(algorithm)?)?;
    let (kid, _) = pair.public_jwk();
    let identifier = format!("http://{address}");
    let audiences = [format!("{identifier}/resources").parse()?];
    Ok(Issuer { signer: TokenSigner::new(&kid, pair), identifier, audiences })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, workers, algorithm] = arguments.as_slice() else { return Err(USAGE.into()) };
    let workers: usize = workers.parse().map_err(|_| USAGE)?;
    install_provider();
    let issuer = Arc::new(issuer(address, algorithm.parse().map_err(|_| USAGE)?)?);
    HttpServer::new(move || {
        App::new()
            .app_data(Data::from(Arc::clone(&issuer)))
            .route("/api/oauth/token", web::post().to(token))
            .route("/api/v1/keys/verify", web::post().to(verify))
            .route("/api/v1/forward-auth", web::get().to(forward_auth))
            .route("/readyz", web::get().to(HttpResponse::Ok))
    })
    .workers(workers)
    .bind(address)?
    .run()
    .await?;
    Ok(())
}
