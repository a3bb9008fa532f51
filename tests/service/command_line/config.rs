//! `sealwright config check`: file, variables, flags, and what is wrong with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::end_with;
use crate::support::binary;

/// A folder without any settings, to run in.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    fn check(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Value {
        let mut command = self.command(&["config", "check", "--json"]);
        command.args(arguments).envs(variables.iter().copied());
        serde_json::from_str(&end_with(0, &mut command).out).unwrap()
    }
}

fn shown(settings: &Value, name: &str) -> (Value, String) {
    (settings[name]["value"].clone(), settings[name]["source"].as_str().unwrap().to_owned())
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let place = Place::new();
    let defaults = place.check(&[], &[]);
    assert_eq!(shown(&defaults, "listen"), (json!("127.0.0.1:8080"), "default".to_owned()));
    place.file("sealwright.toml", "listen = '127.0.0.1:1001'\nsigning_key_lead = '1h'\nlog = 'warn'\n");
    let file = place.check(&[], &[]);
    assert_eq!(shown(&file, "listen"), (json!("127.0.0.1:1001"), "file".to_owned()));
    let variables = [("SEALWRIGHT_LISTEN", "127.0.0.1:1002"), ("SEALWRIGHT_SIGNING_KEY_ROTATION", "7d")];
    let both = place.check(&[], &variables);
    assert_eq!(shown(&both, "listen"), (json!("127.0.0.1:1002"), "variable".to_owned()));
    assert_eq!(shown(&both, "signing_key_rotation"), (json!("7d"), "variable".to_owned()));
    assert_eq!(shown(&both, "signing_key_lead"), (json!("1h"), "file".to_owned()));
    let all = place.check(&["--listen", "127.0.0.1:1003"], &variables);
    assert_eq!(shown(&all, "listen"), (json!("127.0.0.1:1003"), "flag".to_owned()));
    assert_eq!(shown(&all, "log"), (json!("warn"), "file".to_owned()));
    assert_eq!(shown(&all, "keep_alive"), (json!("75s"), "default".to_owned()));
    // Another file by flag or by variable, in place of the one in the folder.
    let other = place.file("other.toml", "listen = '127.0.0.1:1004'\n");
    let other = other.to_str().unwrap();
    for named in [place.check(&["--config", other], &[]), place.check(&[], &[("SEALWRIGHT_CONFIG", other)])] {
        assert_eq!(shown(&named, "listen").0, "127.0.0.1:1004");
        assert_eq!(shown(&named, "log").0, "info", "the file in the folder is not read");
    }
    let table = end_with(0, &mut place.command(&["config", "check"])).out;
    assert!(table.starts_with("SETTING") && table.contains("signing_key_lead"), "{table}");
}

#[test]
fn lists_tables_and_numbers_are_read_from_variables_too() {
    let place = Place::new();
    let settings = place.check(
        &[],
        &[
            ("SEALWRIGHT_SIGNING_ALGORITHMS", "[\"ES256\", \"EdDSA\"]"),
            ("SEALWRIGHT_TRUSTED_PROXIES", "[10.0.0.0/8]"),
            ("SEALWRIGHT_DATABASE_POOL_SIZE", "3"),
            ("SEALWRIGHT_ALLOW_INSECURE_HTTP", "true"),
            ("SEALWRIGHT_ENVIRONMENTS__STAGING__DEFAULT_AUDIENCE", "https://staging.example"),
            // What clients and examples use under the same prefix is none of the server's settings.
            ("SEALWRIGHT_CLIENT_ID", "x"),
            ("SEALWRIGHT_CLIENT_SECRET", "y"),
            ("SEALWRIGHT_ISSUER", "z"),
            ("SEALWRIGHT_API_KEY", "k"),
        ],
    );
    assert_eq!(shown(&settings, "signing_algorithms").0, json!(["ES256", "EdDSA"]));
    assert_eq!(shown(&settings, "trusted_proxies").0, json!(["10.0.0.0/8"]));
    assert_eq!(shown(&settings, "database_pool_size").0, 3);
    assert_eq!(shown(&settings, "allow_insecure_http").0, true);
    assert_eq!(shown(&settings, "environments").0["staging"]["default_audience"], "https://staging.example");
    assert!(!settings.to_string().contains("client_secret"));
}

#[test]
fn an_unknown_setting_or_a_bad_value_in_the_file_is_named() {
    for (text, named) in [
        ("no_such = 1", "no_such"),
        ("Listen = '127.0.0.1:1'", "Listen"),
        ("master_key = 'x'", "master_key"),
        ("[environments.staging]\nno_such = 1", "environments.staging.no_such (in "),
        ("[environments.prod]\ndefault_audience = 'x'", "environments.prod"),
        ("[environments.staging]\ndefault_audience = 'a b'", "environments.staging.default_audience"),
        ("[environments.staging]\nsigning_algorithm = 'HS256'", "environments.staging.signing_algorithm"),
        ("listen = 8080", "listen"),
        ("listen = 'localhost'", "listen"),
        ("listen = '0.0.0.0:8080'", "public_url"),
        ("public_url = 'http://auth.example.com'", "public_url"),
        ("public_url = 'https://auth.example.com/?x'", "public_url"),
        ("database_url = 'mysql://x'", "database_url"),
        ("database_pool_size = 0", "database_pool_size"),
        ("database_pool_size = -1", "database_pool_size"),
        ("database_pool_size = 'many'", "database_pool_size"),
        ("allow_insecure_http = 'maybe'", "allow_insecure_http"),
        ("trusted_proxies = ['x']", "trusted_proxies"),
        ("trusted_proxies = 1", "trusted_proxies: must be a list such as [\"a\", \"b\"] (in "),
        ("trusted_proxies = [1]", "trusted_proxies: must be a string (in "),
        ("tls_certificate = 'x.pem'", "tls_key"),
        ("tls_key = 'x.pem'", "tls_certificate"),
        ("workers = 0", "workers"),
        ("max_connections = 0", "max_connections"),
        ("request_timeout = '0s'", "request_timeout"),
        ("request_timeout = '10'", "request_timeout"),
        ("keep_alive = 'x'", "keep_alive"),
        ("shutdown_timeout = '1w'", "shutdown_timeout"),
        ("signing_algorithms = []", "signing_algorithms"),
        ("signing_algorithms = ['none']", "signing_algorithms"),
        ("signing_algorithm = 'HS256'", "signing_algorithm"),
        ("signing_algorithms = ['RS256']", "signing_algorithm"),
        ("signing_key_lead = '0s'", "signing_key_lead"),
        ("signing_key_rotation = '1h'", "signing_key_rotation"),
        ("log = 'a=b=c'", "log"),
        ("log_format = 'xml'", "log_format"),
        ("guess_limit_per_minute = 0", "guess_limit_per_minute"),
        ("min_free_disk = \"256\"", "min_free_disk"),
        ("min_free_disk = \"1 GB\"", "min_free_disk"),
        ("guess_limit_per_minute = 99999999999", "guess_limit_per_minute"),
        ("listen = ", "sealwright.toml"),
        ("listen = '127.0.0.1:1'\nlisten = '127.0.0.1:2'", "sealwright.toml"),
    ] {
        named_in_file(text, named);
    }
}

#[test]
fn a_bad_field_of_addresses_or_type_of_tokens_in_the_file_is_named() {
    for (text, named) in [
        ("client_address_header = 'forwarded'", "client_address_header"),
        ("client_address_header = ['x-real-ip']", "client_address_header"),
        ("token_typ = 'dpop+jwt'", "token_typ"),
        ("[environments.staging]\ntoken_typ = 'jwt'", "environments.staging.token_typ"),
    ] {
        named_in_file(text, named);
    }
}

/// What is wrong with a file is said by its name before anything is made.
fn named_in_file(text: &str, named: &str) {
    let place = Place::new();
    place.file("sealwright.toml", text);
    for arguments in [["config", "check"], ["client", "list"]] {
        let ended = end_with(2, &mut place.command(&arguments));
        assert!(ended.err.contains(named) && ended.out.is_empty(), "{text}: {ended:?}");
    }
    assert!(!place.0.path().join("sealwright-data").exists(), "{text}: nothing was made");
}

#[test]
fn an_unknown_variable_or_a_bad_value_in_one_is_named() {
    let place = Place::new();
    for (name, value, named) in [
        ("SEALWRIGHT_NO_SUCH", "1", "SEALWRIGHT_NO_SUCH"),
        ("SEALWRIGHT_LISTENS", "127.0.0.1:1", "SEALWRIGHT_LISTENS"),
        ("SEALWRIGHT_ENVIRONMENTS__STAGING__NO_SUCH", "1", "SEALWRIGHT_ENVIRONMENTS__STAGING__NO_SUCH"),
        ("SEALWRIGHT_DATA_DIR", "", "data_dir: must not be empty (variable SEALWRIGHT_DATA_DIR)"),
        ("SEALWRIGHT_ENVIRONMENTS__PROD__DEFAULT_AUDIENCE", "x", "environments.prod"),
        ("SEALWRIGHT_LISTEN", "x", "listen"),
        ("SEALWRIGHT_DATABASE_POOL_SIZE", "x", "SEALWRIGHT_DATABASE_POOL_SIZE"),
        ("SEALWRIGHT_SIGNING_ALGORITHMS", "ES256", "SEALWRIGHT_SIGNING_ALGORITHMS"),
        ("SEALWRIGHT_SIGNING_KEY_LEAD", "soon", "signing_key_lead"),
    ] {
        let ended = end_with(2, place.command(&["config", "check"]).env(name, value));
        assert!(ended.err.contains(named), "{name}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "one line: {ended:?}");
        let ended = end_with(2, place.command(&["config", "check", "--json"]).env(name, value));
        let said: Value = serde_json::from_str(&ended.err).unwrap();
        assert!(
            said["error"]["message"].as_str().unwrap().contains(named) && said["error"]["code"] == "invalid_settings",
            "{ended:?}"
        );
    }
}

#[test]
fn a_bad_flag_is_named() {
    let place = Place::new();
    for (arguments, named) in [
        (vec!["config", "check", "--listen", "x"], "listen"),
        (vec!["config", "check", "--public-url", "ftp://x"], "public_url"),
        (vec!["config", "check", "--database-url", "x"], "database_url"),
        (vec!["config", "check", "--no-such"], "--no-such"),
        (vec!["config"], "check"),
        (vec!["config", "chek"], "chek"),
        (vec!["config", "check", "--config", "missing.toml"], "missing.toml"),
        (vec![], "Usage"),
    ] {
        let ended = end_with(2, &mut place.command(&arguments));
        assert!(ended.err.contains(named), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn no_secret_is_shown() {
    let place = Place::new();
    let key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    for url in [
        "postgres://user:s3cr3t@db.example/sealwright?sslmode=require",
        "postgres://user@db.example/sealwright?password=s3cr3t&sslmode=require",
    ] {
        let variables = [("SEALWRIGHT_MASTER_KEY", key), ("SEALWRIGHT_DATABASE_URL", url)];
        let settings = place.check(&[], &variables);
        assert_eq!(shown(&settings, "master_key"), (json!("(hidden)"), "variable".to_owned()));
        assert!(shown(&settings, "database_url").0.as_str().unwrap().contains("db.example"));
        let table = end_with(0, place.command(&["config", "check"]).envs(variables)).out;
        for said in [settings.to_string(), table] {
            assert!(!said.contains("s3cr3t") && !said.contains(key), "{said}");
        }
    }
    // Nor in an error.
    for (name, value) in [
        ("SEALWRIGHT_DATABASE_URL", "postgre://user:s3cr3t@h/db"),
        ("SEALWRIGHT_MASTER_KEY", "s3cr3t"),
        ("SEALWRIGHT_DATABASE_URL", "postgres://user:s3cr3t@127.0.0.1:1/db"),
    ] {
        let ended = super::end(place.command(&["client", "list"]).env(name, value));
        assert_ne!(ended.status, 0);
        assert!(!ended.err.contains("s3cr3t") && !ended.out.contains("s3cr3t"), "{ended:?}");
        assert!(!ended.err.is_empty());
    }
    // Nor of a file that cannot be read: its lines are not repeated.
    for text in [
        "database_url = 'postgres://user:s3cr3t@h/db\nlisten = '127.0.0.1:1'\n",
        "database_url = postgres://user:s3cr3t@h/db\n",
        "database_url = 'x'\ndatabase_url = 'postgres://user:s3cr3t@h/db'\n",
    ] {
        place.file("sealwright.toml", text);
        let ended = end_with(2, &mut place.command(&["client", "list"]));
        assert!(!ended.err.contains("s3cr3t") && ended.err.contains("sealwright.toml"), "{ended:?}");
        assert!(ended.err.contains(" at line ") && ended.err.lines().count() == 1, "{ended:?}");
    }
}

#[test]
fn the_master_key_has_one_source() {
    let place = Place::new();
    let file = place.file("key", "x");
    let mut command = place.command(&["config", "check"]);
    command.env("SEALWRIGHT_MASTER_KEY", "x").env("SEALWRIGHT_MASTER_KEY_FILE", Path::new(&file));
    assert!(end_with(2, &mut command).err.contains("master_key_file"));
}

#[test]
fn the_version_and_the_help_are_told() {
    let place = Place::new();
    let version = end_with(0, &mut place.command(&["--version"])).out;
    assert_eq!(version.trim(), format!("sealwright {}", env!("CARGO_PKG_VERSION")));
    for command in [
        "serve",
        "init",
        "client",
        "scope",
        "signing-key",
        "audit",
        "revoke-all",
        "config",
        "master-key",
        "backup",
        "restore",
        "migrate",
        "doctor",
    ] {
        let help = end_with(0, &mut place.command(&[command, "--help"])).out;
        assert!(help.contains("Usage") && help.contains("--json"), "{command}: {help}");
    }
}
