//! Clients that others wrote, as they are: four scripts in Python and Node.js on the libraries that their users take,
//! and the `oauth2` crate.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope, TokenResponse as _,
};
use oauth2::{TokenUrl, http};
use serde_json::Value;

use crate::support::{Database, Kind, Response, Server, TestClient, programs, run};

const ALGORITHMS: [&str; 3] = ["ES256", "RS256", "EdDSA"];
const SCOPES: &str = "orders:read invoices:write";

/// Runs a script against every algorithm, in production and in staging, where tokens have the plain type.
fn passes(script: fn() -> Command) {
    let server = Server::start(Database::new(Kind::Sqlite));
    for (environment, typ) in [("production", "at+jwt"), ("staging", "JWT")] {
        let issuer = issuer(&server, environment);
        for algorithm in ALGORITHMS {
            let options = ["--environment", environment, "--signing-algorithm", algorithm, "--token-typ", typ];
            let client = server.client_with(SCOPES, &options);
            let output = run(script()
                .env("TYP", typ)
                .env("ISSUER", &issuer)
                .env("CLIENT_ID", &client.id)
                .env("CLIENT_SECRET", &client.secret)
                .env("ALGORITHM", algorithm)
                .env("AUDIENCE", format!("{issuer}/resources"))
                .env("SCOPE", SCOPES));
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{environment}, {algorithm}:\n{out}{err}");
        }
    }
}

fn issuer(server: &Server, environment: &str) -> String {
    match environment {
        "production" => server.url.clone(),
        other => format!("{}/{other}", server.url),
    }
}

#[test]
fn authlib_gets_and_verifies_tokens() {
    passes(|| programs::python("tests/interop/python/authlib_client.py"));
}

#[test]
fn requests_oauthlib_gets_tokens_that_pyjwt_verifies() {
    passes(|| programs::python("tests/interop/python/requests_oauthlib_client.py"));
}

#[test]
fn oauth4webapi_gets_tokens_that_it_and_jose_verify() {
    passes(|| programs::node("interop/oauth4webapi_client.mjs"));
}

#[test]
fn openid_client_gets_tokens_that_jose_verifies() {
    passes(|| programs::node("interop/openid_client.mjs"));
}

type CrateError = RequestTokenError<reqwest::Error, oauth2::StandardErrorResponse<BasicErrorResponseType>>;

/// A token by the `oauth2` crate.
fn by_oauth2_crate(
    server: &Server,
    environment: &str,
    client: &TestClient,
    auth_type: AuthType,
) -> Result<BasicTokenResponse, CrateError> {
    let send = |request: HttpRequest| -> Result<HttpResponse, reqwest::Error> {
        let received = server.http.execute(request.try_into()?)?;
        let mut response = http::Response::builder().status(received.status());
        *response.headers_mut().unwrap() = received.headers().clone();
        Ok(response.body(received.bytes()?.to_vec()).unwrap())
    };
    BasicClient::new(ClientId::new(client.id.clone()))
        .set_client_secret(ClientSecret::new(client.secret.clone()))
        .set_token_uri(TokenUrl::new(format!("{}/api/oauth/token", issuer(server, environment))).unwrap())
        .set_auth_type(auth_type)
        .exchange_client_credentials()
        .add_scopes(SCOPES.split(' ').map(|scope| Scope::new(scope.to_owned())))
        .request(&send)
}

/// The claims of a token, verified by the keys that the issuer publishes.
fn verified(server: &Server, issuer: &str, algorithm: &str, token: &str) -> Value {
    let jwks = server.send(server.http.get(format!("{issuer}/.well-known/jwks.json")));
    let jwks: JwkSet = serde_json::from_value(jwks.body).unwrap();
    let header = decode_header(token).unwrap();
    let algorithm: Algorithm = algorithm.parse().unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), algorithm));
    let jwk = jwks.find(header.kid.as_deref().unwrap()).expect("the key is published");
    assert_eq!(jwk.common.key_algorithm, Some(algorithm.into()));
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[format!("{issuer}/resources")]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    decode(token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap().claims
}

#[test]
fn the_oauth2_crate_gets_tokens_by_basic_and_by_form_that_jsonwebtoken_verifies() {
    let server = Server::start(Database::new(Kind::Sqlite));
    for environment in ["production", "staging"] {
        for algorithm in ALGORITHMS {
            let client = server.client_with(SCOPES, &["--environment", environment, "--signing-algorithm", algorithm]);
            for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
                let token = by_oauth2_crate(&server, environment, &client, auth_type).unwrap();
                assert_eq!(token.expires_in().map(|time| time.as_secs()), Some(3600));
                assert!(token.refresh_token().is_none());
                let claims = verified(&server, &issuer(&server, environment), algorithm, token.access_token().secret());
                assert_eq!(claims["client_id"], client.id.as_str());
                let mut scopes: Vec<&str> = claims["scope"].as_str().unwrap().split(' ').collect();
                scopes.sort_unstable();
                assert_eq!(scopes, ["invoices:write", "orders:read"]);
            }
        }
    }
}

#[test]
fn the_oauth2_crate_reads_the_refusal_of_a_wrong_secret() {
    let server = Server::start(Database::new(Kind::Sqlite));
    let wrong = TestClient { secret: "wrong".to_owned(), ..server.client(SCOPES) };
    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        match by_oauth2_crate(&server, "production", &wrong, auth_type) {
            Err(RequestTokenError::ServerResponse(refusal)) => {
                assert_eq!(refusal.error(), &BasicErrorResponseType::InvalidClient);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Form-encoding at its most eager.
fn escape_all(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// RFC 6749 section 2.3.1 has id and secret form-encoded before Basic joins them. Many clients forget it, others escape
/// more than they need to.
#[test]
fn id_and_secret_work_in_basic_whether_or_not_they_are_form_encoded() {
    let server = Server::start(Database::new(Kind::Sqlite));
    let client = server.client(SCOPES);
    let basic = |encode: &dyn Fn(&str) -> String| -> Response {
        let pair = STANDARD.encode(format!("{}:{}", encode(&client.id), encode(&client.secret)));
        let request = server.http.post(format!("{}/api/oauth/token", server.url));
        server.send(
            request.header("Authorization", format!("Basic {pair}")).form(&[("grant_type", "client_credentials")]),
        )
    };
    let as_they_are = |text: &str| text.to_owned();
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let escape_all_in_lower_case = |text: &str| escape_all(text).to_lowercase();
    let all_but_letters_and_digits = |text: &str| text.replace('_', "%5F");
    for (name, response) in [
        ("as they are", basic(&as_they_are)),
        ("form-encoded", basic(&encoded)),
        ("every byte escaped", basic(&escape_all)),
        ("every byte escaped in lower case", basic(&escape_all_in_lower_case)),
        ("all but letters and digits escaped", basic(&all_but_letters_and_digits)),
    ] {
        assert_eq!(response.status, 200, "{name}: {}", response.text);
    }
    // What is encoded twice is another secret.
    let twice = basic(&|text| escape_all(&escape_all(text)));
    assert_eq!((twice.status, twice.body["error"].as_str()), (401, Some("invalid_client")));
}

#[test]
fn a_form_may_escape_every_byte_of_id_and_secret() {
    let server = Server::start(Database::new(Kind::Sqlite));
    let client = server.client(SCOPES);
    let body = [("grant_type", "client_credentials"), ("client_id", &client.id), ("client_secret", &client.secret)]
        .map(|(name, value)| format!("{}={}", escape_all(name), escape_all(value)))
        .join("&");
    let request = server.http.post(format!("{}/api/oauth/token", server.url));
    let response = server.send(request.header("Content-Type", "application/x-www-form-urlencoded").body(body));
    assert_eq!(response.status, 200, "{}", response.text);
}
