//! The command `sealwright quickstart`: goes from an empty folder to a verified token and explains every step.

mod resource_server;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::folder::{self, Work};
use super::output::line;
use super::{CliError, logging, serve, session};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::domain::credential::{Changes, CredentialInput, KeyType, NewCredential, NewKind};
use crate::domain::environment::Environment;
use crate::service::SharedServices;
use resource_server::verify_offline;

const FOLDER: &str = "sealwright-quickstart";
const FIRST_PORT: u16 = 8080;
const SCOPE: &str = "orders:read";

#[derive(clap::Args)]
pub struct Arguments {
    /// Stop after the demonstration instead of serving
    #[arg(long)]
    exit: bool,
}

/// The demo's credentials, stored so that a second run uses them again. Real secrets are never stored.
#[derive(Serialize, Deserialize)]
struct Demo {
    client_id: String,
    client_secret: String,
    key_id: String,
    key: String,
}

/// Runs the demonstration, then serves.
pub fn run(flags: &Flags, json: bool, arguments: &Arguments) -> Result<(), CliError> {
    if (Flags { config: None, force: false, ..flags.clone() }) != Flags::default() {
        return Err(CliError::Usage(
            "quickstart uses its own settings; to use yours, run `sealwright serve`".to_owned(),
        ));
    }
    let listener = free_port()?;
    let listen = listener.local_addr()?;
    let flags = own_flags(listen, flags.force);
    let config = Config::load(&flags)?;
    folder::require(&config, &flags, Work::Makes)?;
    let heads = logging::start(&config, "warn");
    let exit = arguments.exit;
    serve::actix_rt(async move {
        let say = |text: &str| {
            if !json {
                line(text);
            }
        };
        say_where(&config, say);
        let (services, _) = app::open_and_tell(&config, listen, Purposes::Serve, Clock::system()).await?;
        let demo = demo_credentials(&services, say).await?;
        drop(services);
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let server = tokio::task::spawn_local(serve::serve(config, heads, listener, Purposes::Serve, move || {
            let _gone = ready.send(());
        }));
        if is_ready.await.is_err() {
            return server.await.unwrap_or(Err(CliError::Silent));
        }
        let shown = demonstrate(&format!("http://{listen}"), &demo, say).await?;
        if json {
            line(&shown.to_string());
        }
        if exit {
            return Ok(());
        }
        say(&format!(
            "\nServing on http://{listen}. Stop with Ctrl-C; `sealwright quickstart` continues with this folder."
        ));
        server.await.unwrap_or(Err(CliError::Silent))
    })
}

fn own_flags(listen: SocketAddr, force: bool) -> Flags {
    Flags {
        data_dir: Some(FOLDER.into()),
        // Ignores the environment's setting: this is a demonstration.
        database_url: Some(format!("sqlite:{FOLDER}/sealwright.db")),
        listen: Some(listen.to_string()),
        public_url: Some(format!("http://{listen}")),
        force,
        ..Flags::default()
    }
}

/// Binds the first free port from 8080 up, so that no other program takes it.
fn free_port() -> Result<TcpListener, CliError> {
    (FIRST_PORT..FIRST_PORT + 100)
        .find_map(|port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok())
        .ok_or_else(|| CliError::Failed(format!("no port from {FIRST_PORT} up is free")))
}

fn say_where(config: &Config, say: impl Fn(&str)) {
    let folder = Path::new(FOLDER);
    if folder.join("sealwright.db").exists() {
        say(&format!("1. Continuing with ./{FOLDER} (delete the folder to start over)."));
    } else {
        say(&format!(
            "1. Made ./{FOLDER}: a SQLite database, a master key that encrypts private keys (master.key, mode 0600),"
        ));
        say("   and signing keys of production, staging and development in ES256, RS256 and EdDSA.");
    }
    if config.server.listen.port() != FIRST_PORT {
        say(&format!("   Port {FIRST_PORT} is taken; using {}.", config.server.listen.port()));
    }
}

/// The file with the demo's credentials.
fn demo_file() -> PathBuf {
    Path::new(FOLDER).join("demo-credentials.json")
}

/// Reads the credentials of an earlier run, or creates new ones.
async fn demo_credentials(services: &SharedServices, say: impl Fn(&str)) -> Result<Demo, CliError> {
    let path = demo_file();
    let kept = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Demo>(&text).ok());
    if let Some(demo) = kept {
        say(&format!(
            "2. Using the demo client {} and the demo key {} (their secrets are in {}).",
            demo.client_id,
            demo.key_id,
            path.display()
        ));
        return Ok(demo);
    }
    let client = create(services, NewKind::Client).await?;
    let key = create(services, NewKind::ApiKey(KeyType::Partner)).await?;
    let demo = Demo { client_id: client.0, client_secret: client.1, key_id: key.0, key: key.1 };
    write_private(&path, &serde_json::to_vec_pretty(&demo).map_err(|error| CliError::Failed(error.to_string()))?)?;
    say(&format!(
        "2. Made the demo client {} and the API key {} in production, with the scopes {SCOPE} and orders:write.",
        demo.client_id, demo.key_id
    ));
    say(&format!(
        "   Their secrets are stored in {} for this demonstration; real secrets are shown once and never stored.",
        path.display()
    ));
    Ok(demo)
}

/// Creates a demo credential, and returns its id and its secret.
async fn create(services: &SharedServices, kind: NewKind) -> Result<(String, String), CliError> {
    let failed = |what: &str| CliError::Failed(what.to_owned());
    let changes = Changes {
        name: Some("quickstart demo".parse().map_err(failed)?),
        scopes: Some(format!("{SCOPE} orders:write").parse().map_err(failed)?),
        ..Changes::default()
    };
    let input = CredentialInput { changes, ..CredentialInput::default() };
    let new = NewCredential { kind, environment: Some(Environment::Production), owner: None, input };
    let origin = session::origin(services.recorder.events(), "quickstart")?;
    let issued = services.credentials.create(&session::caller(), new, None, origin).await?;
    let secret = issued.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
    Ok((issued.tied.credential.id.to_string(), secret))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(bytes)?)
}

/// Fetches a token and verifies it, verifies the key, and returns the results with the commands to do the same by hand.
async fn demonstrate(issuer: &str, demo: &Demo, say: impl Fn(&str)) -> Result<Value, CliError> {
    let http = reqwest::Client::builder().no_proxy().build().map_err(failed)?;
    let response = fetch_token(&http, issuer, demo).await?;
    let token = response["access_token"].as_str().ok_or_else(|| CliError::Failed("no token was issued".to_owned()))?;
    say(&format!(
        "3. Fetched a token from POST {issuer}/api/oauth/token: it lives {} seconds, with the scope {}.",
        response["expires_in"],
        response["scope"].as_str().unwrap_or_default()
    ));
    let jwks: Value = get_jwks(&http, issuer).await?;
    let (header, claims) = verify_offline(token, issuer, &jwks)?;
    say("4. Verified it offline, as a resource server does, with the public keys of /.well-known/jwks.json:");
    say(&format!("   header  {header}"));
    say(&format!("   claims  {claims}"));
    let scopes = verify_key(&http, issuer, demo).await?;
    say("5. Verified the API key online, as a gateway does, with GET /api/v1/forward-auth:");
    say(&format!("   X-Auth-Credential: {}", demo.key_id));
    say(&format!("   X-Auth-Scopes: {scopes}"));
    let commands = commands(issuer, demo);
    say("\nThe same by hand, while `sealwright quickstart` serves:\n");
    for command in &commands {
        say(&format!("  {command}"));
    }
    say(&format!("\nThe API reference: {issuer}/docs"));
    let part = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    Ok(json!({
        "issuer": issuer,
        "client_id": demo.client_id,
        "client_secret": demo.client_secret,
        "key_id": demo.key_id,
        "key": demo.key,
        "scopes": scopes,
        "answer": response,
        "header": part(&header),
        "claims": part(&claims),
        "commands": commands,
    }))
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::Failed(error.to_string())
}

/// Returns a response, if it grants what the demo's credentials had at first.
///
/// # Errors
/// They have been changed since: the message says what to do.
fn granted(response: reqwest::Response, which: &str) -> Result<reqwest::Response, CliError> {
    let status = response.status();
    if !status.is_client_error() {
        return response.error_for_status().map_err(failed);
    }
    Err(CliError::Failed(format!(
        "{which} in ./{file} is refused ({status}): it was rotated, disabled, revoked or narrowed since the first run. \
         Delete ./{file}, and the next run makes new demo credentials; or delete ./{FOLDER} to start over",
        file = demo_file().display()
    )))
}

async fn fetch_token(http: &reqwest::Client, issuer: &str, demo: &Demo) -> Result<Value, CliError> {
    let request = http
        .post(format!("{issuer}/api/oauth/token"))
        .basic_auth(&demo.client_id, Some(&demo.client_secret))
        .form(&[("grant_type", "client_credentials"), ("scope", SCOPE)]);
    let response = granted(request.send().await.map_err(failed)?, &format!("the demo client {}", demo.client_id))?;
    response.json().await.map_err(failed)
}

async fn get_jwks(http: &reqwest::Client, issuer: &str) -> Result<Value, CliError> {
    let response = http.get(format!("{issuer}/.well-known/jwks.json")).send().await.map_err(failed)?;
    response.json().await.map_err(failed)
}

fn forward_auth_url(issuer: &str) -> String {
    format!("{issuer}/api/v1/forward-auth?scope={SCOPE}")
}

/// Verifies the demo key as a gateway does, and returns its scopes.
async fn verify_key(http: &reqwest::Client, issuer: &str, demo: &Demo) -> Result<String, CliError> {
    let request = http.get(forward_auth_url(issuer)).header("X-API-Key", &demo.key);
    let identity = granted(request.send().await.map_err(failed)?, &format!("the demo key {}", demo.key_id))?;
    let field = |name: &str| identity.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if field("x-auth-credential") != demo.key_id {
        return Err(CliError::Failed("the demo key was not recognised".to_owned()));
    }
    Ok(field("x-auth-scopes").to_owned())
}

/// Returns commands that repeat the demonstration by hand.
fn commands(issuer: &str, demo: &Demo) -> [String; 11] {
    let curl = format!("curl -s -u {}:{}", demo.client_id, demo.client_secret);
    let fetch = format!("{curl} -d grant_type=client_credentials -d scope={SCOPE} {issuer}/api/oauth/token");
    let program = std::env::current_exe().map_or_else(|_| "sealwright".to_owned(), |path| path.display().to_string());
    [
        fetch.clone(),
        format!("curl -s {issuer}/.well-known/jwks.json"),
        format!("curl -s {issuer}/.well-known/oauth-authorization-server"),
        format!("TOKEN=$({fetch} | sed 's/.*\"access_token\":\"//; s/\".*//')"),
        format!("{curl} -d token=$TOKEN {issuer}/api/oauth/introspect"),
        format!("curl -si -H 'X-API-Key: {}' '{}'", demo.key, forward_auth_url(issuer)),
        format!("{program} --data-dir {FOLDER} key verify {} --scope {SCOPE}", demo.key),
        format!("{program} --data-dir {FOLDER} key verify --offline {}", demo.key),
        format!("{program} --data-dir {FOLDER} client list"),
        format!("{program} --data-dir {FOLDER} key list"),
        format!("{program} --data-dir {FOLDER} audit list"),
    ]
}
