//! What others make of the OpenAPI document: clients in three languages by openapi-generator, as their users would make
//! them, and schemathesis, which calls every operation with everything that the document allows, and with what it does
//! not.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Database, Kind, Server, TestKey, programs, run};

const MANAGER: &str = "sealwright.admin admin";

fn server() -> (Server, TestKey) {
    let server = Server::start(Database::new(Kind::Sqlite));
    let key = server.key_with(MANAGER, &["--type", "internal"]);
    (server, key)
}

fn succeeds(what: &str, command: &mut Command) {
    let output = run(command);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}:\n{out}{err}");
}

/// Generates a client in `folder`.
fn generate(server: &Server, folder: &Path, generator: &str, options: &str) {
    let document = folder.join("openapi.json");
    std::fs::write(&document, server.get("/api/openapi.json").text).unwrap();
    let mut command = programs::generated("openapi-generator-cli");
    command.arg("generate").arg("--input-spec").arg(document).args(["--generator-name", generator]);
    command.arg("--output").arg(folder.join("client")).args(["--additional-properties", options]);
    succeeds(generator, &mut command);
}

fn copy(from: &str, folder: &Path) {
    for entry in std::fs::read_dir(programs::source(from)).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
}

fn drive(what: &str, command: &mut Command, server: &Server, key: &TestKey) {
    succeeds(what, command.env("ADDRESS", &server.url).env("KEY", &key.key));
}

#[test]
fn a_python_client_is_generated_and_works() {
    let ((server, key), folder) = (server(), TempDir::new().unwrap());
    generate(&server, folder.path(), "python", "packageName=sealwright_client");
    let mut driver = programs::generated("python");
    driver.arg(programs::source("tests/interop/generated/python/driver.py"));
    drive("Python", driver.env("CLIENT_PACKAGE", folder.path().join("client")), &server, &key);
}

#[test]
fn a_typescript_client_is_generated_compiles_and_works() {
    let ((server, key), folder) = (server(), TempDir::new().unwrap());
    generate(&server, folder.path(), "typescript-axios", "importFileExtension=.js");
    copy("tests/interop/generated/typescript", folder.path());
    let modules = programs::generated_node_modules();
    std::os::unix::fs::symlink(&modules, folder.path().join("node_modules")).unwrap();
    let mut compiler = programs::system("node");
    succeeds("tsc", compiler.arg(modules.join("typescript/bin/tsc")).current_dir(folder.path()));
    drive("TypeScript", programs::system("node").arg(folder.path().join("built/driver.js")), &server, &key);
}

/// It needs nothing but the standard library.
#[test]
fn a_go_client_is_generated_compiles_and_works() {
    let ((server, key), folder) = (server(), TempDir::new().unwrap());
    generate(&server, folder.path(), "go", "packageName=sealwright_client,withGoMod=false");
    copy("tests/interop/generated/go", folder.path());
    let client = folder.path().join("client");
    std::fs::remove_dir_all(client.join("test")).unwrap();
    std::fs::write(client.join("go.mod"), "module sealwright_client\n\ngo 1.23\n").unwrap();
    let mut compiler = programs::system("go");
    compiler.args(["build", "-o", "driver", "."]).env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
    succeeds("go build", compiler.current_dir(folder.path()));
    drive("Go", &mut programs::system(folder.path().join("driver").to_str().unwrap()), &server, &key);
}

/// Seconds that schemathesis may take for all operations.
const SECONDS: &str = "45";
/// The same requests each time, as far as they depend on no response.
const SEED: &str = "1";

#[test]
fn schemathesis_finds_nothing() {
    let ((server, key), folder) = (server(), TempDir::new().unwrap());
    // What the document's examples refer to.
    server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
    let user = serde_json::json!({"email": "ann@example.com", "role": "developer"});
    assert_eq!(server.api_with_key("POST", "/users", &key.key, Some(&user)).status, 201);
    let mut command = programs::generated("schemathesis");
    command.arg("--config-file").arg(programs::source("tests/interop/schemathesis/schemathesis.toml"));
    command.args(["run", "--checks", "all", "--max-time", SECONDS, "--seed", SEED, "--url", &server.url]);
    command.arg(format!("{}/api/openapi.json", server.url)).current_dir(folder.path());
    command.env("SEALWRIGHT_HOOKS", programs::source("tests/interop/schemathesis/hooks.py"));
    succeeds("schemathesis", command.env("SEALWRIGHT_KEY", &key.key).env("SEALWRIGHT_KEY_ID", &key.id));
    // It was a caller who could do everything, to the end.
    let clients = server.api_with_key("GET", "/clients?limit=1", &key.key, None);
    assert_eq!(clients.status, 200, "{}", clients.text);
    assert!(matches!(&clients.body["data"], Value::Array(shown) if !shown.is_empty()), "it created clients");
}
