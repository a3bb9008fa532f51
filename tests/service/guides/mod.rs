//! The guides, read and run: each command in them does what it says.

mod shell;
mod tenants;

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Database, Kind, Server, binary, both, free_port, programs, run};

const FIELD: &str = r#"field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
curl() { command curl -sS --fail-with-body "$@"; }
"#;

/// What is there already when a reader follows a guide, by the names of its variables.
const BEFORE: &str = r#"
sealwright client create --name orders --scope orders:read,read --audience https://api.example.com --json > client
CLIENT_ID=$(field client_id < client) CLIENT_SECRET=$(field client_secret < client)
ID=$(sealwright client create --name reports --scope orders:read --json | field client_id)
sealwright key create --name "nightly export" --scope orders:read --json > key
KEY=$(field key < key) KEY_ID=$(field id < key)
OWN_KEY=$(sealwright key create --name "orders API" --type internal --scope sealwright.keys:verify --json | field key)
KID=$(sealwright signing-key list --environment staging --json | python3 -c '
import json, sys
print(next(key["kid"] for key in json.load(sys.stdin)["data"] if key["status"] == "active"))')
echo "correct horse battery" > password.txt
TOKEN=$(command curl -s -D head -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \
  https://auth.example.com/api/oauth/token | field access_token)
REQUEST_ID=$(sed -n 's/^x-request-id: *//Ip' head | tr -d '\r')
sealwright user create --email ann@example.com --role developer --password-file password.txt --json > ann
"#;

/// What only one guide takes for granted.
const BEFORE_OPERATORS: &str = "sealwright customer create --external-id acme --name Acme --json > acme";

/// Programs that would change this machine.
const OTHERS: [(&str, &str); 6] = [
    ("cargo", "true"),
    ("install", "true"),
    ("useradd", "true"),
    ("systemctl", "true"),
    ("logrotate", "true"),
    // `runuser -u sealwright -- COMMAND…`
    ("runuser", "shift 3; exec \"$@\""),
];

/// The guides by their names, but for the one that has a test of its own.
fn guides() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(programs::source("docs/guides")).unwrap().map(|file| file.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files
        .map(|path| (name(&path), std::fs::read_to_string(&path).unwrap()))
        .filter(|(name, _)| name != "tenants.md")
        .collect()
}

/// A server in a terminal of its own is one in the background here, on a port of its own.
fn with_servers(script: &str) -> String {
    let line = |line: &str| match line.strip_prefix("sealwright serve") {
        Some(rest) => {
            let port = free_port();
            format!("SEALWRIGHT_LISTEN=127.0.0.1:{port} sealwright serve{rest} &\n{}", shell::wait_for(port))
        }
        None => line.to_owned(),
    };
    script.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn follow(database: Database, name: &str) {
    let guides = guides();
    let steps = shell::steps(&guides[name]);
    assert!(!steps.is_empty() || name == "resource-servers.md", "{name} has commands");
    let server = Server::start(database);
    let folder = tempfile::tempdir().unwrap();
    for (program, script) in OTHERS {
        shell::add_program(&folder.path().join("bin"), program, script);
    }
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    std::fs::copy(programs::source("packaging/sealwright.toml"), folder.path().join("etc/sealwright.toml")).unwrap();
    let mut command = shell::shell_in(folder.path());
    for (setting, value) in server.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(setting, value);
    }
    let data = server.database.data_dir().display().to_string();
    let etc = folder.path().join("etc").display().to_string();
    let here = |text: &str| {
        let text = text.replace("https://auth.example.com", &server.url).replace("http://127.0.0.1:8080", &server.url);
        with_servers(&text.replace("/var/lib/sealwright", &data).replace("/etc/sealwright", &etc))
    };
    let own = if name == "operators.md" { BEFORE_OPERATORS } else { "" };
    let prelude = here(&[FIELD, BEFORE, own].concat());
    shell::run(command, folder.path(), &prelude, &steps, here);
}

both! {
    fn every_command_of_the_guide_for_operators_succeeds(database: without_credentials) {
        follow(database, "operators.md");
    }

    fn every_command_of_the_guide_to_keys_succeeds(database: without_credentials) {
        follow(database, "keys.md");
    }
}

#[test]
fn every_command_of_the_other_guides_succeeds() {
    for name in guides().keys().filter(|name| !["operators.md", "keys.md"].contains(&name.as_str())) {
        follow(Database::without_credentials(Kind::Sqlite), name);
    }
}

/// Commands are in blocks that are run, and nowhere else; a block says what it is.
#[test]
fn commands_are_in_blocks_that_are_run() {
    for (name, guide) in guides() {
        for block in shell::blocks(&guide) {
            assert!(!block.language.is_empty(), "{name}: what is this? {}", block.code);
        }
        let mut is_fenced = false;
        for line in guide.lines() {
            is_fenced ^= line.trim_start().starts_with("```");
            let is_command = ["    sealwright ", "    curl ", "    $ "].iter().any(|start| line.starts_with(start));
            assert!(is_fenced || !is_command, "{name}: {line}");
        }
    }
}

/// The commands of this program that a text has in its sentences, and outside of blocks: each with its options.
fn mentioned(text: &str) -> Vec<String> {
    let spans = text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2).collect::<Vec<_>>());
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    let all = spans.chain(lines).map(|command| command.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|command| command.starts_with("sealwright ")).collect()
}

/// What the guides and the README files mention of the command line exists.
#[test]
fn commands_and_options_in_sentences_exist() {
    let mut texts: Vec<String> = guides().into_values().collect();
    for file in ["README.md", "examples/README.md", "examples/gateways/README.md", "docs/guides/tenants.md"] {
        texts.push(std::fs::read_to_string(programs::source(file)).unwrap());
    }
    let commands: Vec<String> = texts.iter().flat_map(|text| mentioned(text)).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let (command, _comment) = command.split_once(" #").unwrap_or((&command, ""));
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let is_name =
            |word: &&&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with('-');
        let names: Vec<&str> = words.iter().take_while(is_name).copied().collect();
        let help = run(binary().args(&names).arg("--help"));
        assert!(help.status.success(), "{command}");
        let help = String::from_utf8(help.stdout).unwrap();
        for option in words.iter().filter(|word| word.starts_with("--")) {
            let option = option.trim_end_matches(|c: char| !c.is_ascii_lowercase());
            assert!(help.contains(option), "{command}: {option}");
        }
    }
}
