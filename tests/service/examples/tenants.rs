//! Resource servers with several tenants, and the guide that shows them, run as it is written.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::support::{both, free_port};

/// The claim `customers` decides, by external ids, whichever way a request names what it wants.
pub fn keeps_tenants_apart(resource_server: Command) {
    let server = start();
    for name in ["acme", "globex"] {
        server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
    }
    let api = ResourceServer::start(resource_server, &server.url);
    let token = |customers: &[&str]| {
        let options: Vec<&str> = customers.iter().flat_map(|name| ["--customer", name]).collect();
        server.token(&client_of(&server, "orders:read", &options)).body["access_token"].as_str().unwrap().to_owned()
    };
    let get = |token: &str, path: &str| {
        server.send(server.http.get(format!("{}{path}", api.orders)).bearer_auth(token).header("X-Auth-Customer", "x"))
    };
    let numbers = |response: &Response| -> Vec<i64> {
        response.body["orders"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect()
    };
    for (customers, own, others) in [
        (&["acme"][..], &[(1, "acme")][..], &[(2, "globex")][..]),
        (&["globex"], &[(2, "globex")], &[(1, "acme")]),
        (&["acme", "globex"], &[(1, "acme"), (2, "globex")], &[]),
        (&[], &[(1, "acme"), (2, "globex")], &[]),
    ] {
        let token = token(customers);
        assert_eq!(numbers(&get(&token, "")), own.iter().map(|(number, _)| *number).collect::<Vec<_>>());
        for (number, customer) in own {
            assert_eq!(get(&token, &format!("/{number}")).body["customer"], *customer);
            assert_eq!(numbers(&get(&token, &format!("?customer={customer}"))), [*number]);
        }
        for (number, customer) in others {
            let response = get(&token, &format!("/{number}"));
            assert_eq!(response.status, 404, "{}", response.text);
            let response = get(&token, &format!("?customer={customer}"));
            assert_eq!((response.status, &response.body["error"]), (403, &json!("access_denied")), "{}", response.text);
        }
    }
}

/// A block of the guide: a script, and what it prints.
struct Step {
    script: String,
    expected: String,
}

/// The blocks that a guide marks `sh`, each with the block `text` that follows it, if one does.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut blocks = guide.split("\n```");
    blocks.next();
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next()) {
        match (block.split_once('\n'), steps.last_mut()) {
            (Some(("sh", script)), _) => steps.push(Step { script: script.to_owned(), expected: String::new() }),
            (Some(("text", expected)), Some(step)) => step.expected = format!("{expected}\n"),
            other => panic!("a block that is neither sh nor text after sh: {other:?}", other = other.0),
        }
    }
    steps
}

/// The ports that the guide names, and free ones in their place.
fn with_free_ports(text: &str) -> (String, Vec<(&'static str, u16)>) {
    let ports: Vec<(&str, u16)> =
        ["8080", "8000", "9000", "8001", "8002", "8003"].map(|named| (named, free_port())).to_vec();
    let text =
        ports.iter().fold(text.to_owned(), |text, (named, free)| text.replace(named, &format!("\u{0}{free}\u{0}")));
    (text.replace('\u{0}', ""), ports)
}

fn copy(from: &Path, to: &Path, change: &dyn Fn(&str) -> String) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::write(to, change(&std::fs::read_to_string(from).unwrap())).unwrap();
}

/// Programs that the guide calls, where this machine has them.
fn programs_in(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let example = programs::rust("resource-server").get_program().to_str().unwrap().to_owned();
    let sealwright = env!("CARGO_BIN_EXE_sealwright");
    for (name, script) in [
        ("sealwright", format!("exec '{sealwright}' \"$@\"")),
        ("cargo", format!("exec '{example}'")),
        ("npm", "true".to_owned()),
        ("pip", "true".to_owned()),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// One script of all steps: each prints a line before it, and those that start servers wait until they listen.
fn script(steps: &[Step], ports: &[(&str, u16)]) -> String {
    let mut script = "set -eu\n".to_owned();
    let mut started = vec![];
    for (number, step) in steps.iter().enumerate() {
        writeln!(script, "echo '=== {number}'\n{}", step.script).unwrap();
        for line in step.script.lines().filter(|line| line.ends_with('&') || line.contains("& #")) {
            let named = ports.iter().find(|(_, free)| line.contains(&free.to_string()));
            let (_, port) = named.unwrap_or_else(|| panic!("no port: {line}"));
            started.push(*port);
            let listens = format!("curl -s -o /dev/null http://127.0.0.1:{port}/");
            writeln!(script, "for _ in $(seq 300); do {listens} && break; sleep 0.1; done").unwrap();
        }
    }
    assert_eq!(started.len(), ports.len(), "every port has a server");
    script
}

/// A folder like a checkout of this repository, as far as the guide needs one, with free ports.
fn checkout(ports: &[(&str, u16)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (examples, gateways) = (folder.path().join("examples"), programs::source("examples/gateways"));
    let with_ports = |text: &str| {
        ports.iter().fold(text.to_owned(), |text, (named, free)| {
            text.replace(&format!("127.0.0.1:{named}"), &format!("127.0.0.1:{free}"))
        })
    };
    // Where the tests run as root, nginx's workers must be able to write into the folder.
    let as_root = |text: &str| format!("user root;\n{text}");
    copy(&gateways.join("nginx/sealwright.conf"), &examples.join("gateways/nginx/sealwright.conf"), &with_ports);
    copy(&gateways.join("nginx/nginx.conf"), &examples.join("gateways/nginx/nginx.conf"), &as_root);
    copy(&gateways.join("orders.py"), &examples.join("gateways/orders.py"), &str::to_owned);
    let node = programs::node("examples").get_args().next().unwrap().to_owned();
    for (source, name) in [(programs::source("examples/python"), "python"), (node.into(), "node")] {
        std::os::unix::fs::symlink(source, examples.join(name)).unwrap();
    }
    programs_in(&folder.path().join("bin"));
    folder
}

/// A shell in a checkout, where `sealwright` has this database.
fn shell_in(folder: &Path, database: &Database, port: u16) -> Command {
    let python = programs::python("").get_program().to_owned();
    let python = Path::new(&python).parent().unwrap();
    let path = format!("{}:{}:{}:/usr/sbin", folder.join("bin").display(), python.display(), env_path());
    let mut shell = programs::system("bash");
    shell.current_dir(folder).env("PATH", path).env("SEALWRIGHT_DATA_DIR", database.data_dir());
    shell.env("SEALWRIGHT_LISTEN", format!("127.0.0.1:{port}"));
    if let Some(url) = database.url() {
        shell.env("SEALWRIGHT_DATABASE_URL", url);
    }
    shell
}

fn env_path() -> String {
    std::env::var("PATH").unwrap()
}

both! {
    /// Every command of the guide to tenants prints what the guide says.
    fn the_guide_to_tenants_is_true(database: without_credentials) {
        let guide = std::fs::read_to_string(programs::source("docs/guides/tenants.md")).unwrap();
        let (guide, ports) = with_free_ports(&guide);
        let steps = steps(&guide);
        assert!(steps.iter().filter(|step| !step.expected.is_empty()).count() >= 8, "the guide shows what happens");
        let folder = checkout(&ports);
        let file = |name: &str| folder.path().join(name);
        let create = |name: &str| std::fs::File::create(file(name)).unwrap();
        std::fs::write(file("script"), script(&steps, &ports)).unwrap();
        let mut shell = shell_in(folder.path(), &database, ports[0].1);
        let mut group = Group::start(shell.arg("script").stdout(create("stdout")).stderr(create("stderr")));
        let status = group.wait();
        let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
        let (said, log) = (read("stdout"), read("stderr"));
        let said: Vec<&str> = said.split("=== ").skip(1).map(|part| part.split_once('\n').unwrap().1).collect();
        for (number, step) in steps.iter().enumerate() {
            let found = said.get(number).unwrap_or_else(|| panic!("ended before {}: {log}", step.script));
            assert!(step.expected.is_empty() || *found == step.expected, "{}\n{found}\n{log}", step.script);
        }
        assert!(status.success(), "{status}: {log}");
    }
}

/// A shell and what it started, ended when dropped.
struct Group(Child);

impl Group {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).process_group(0).spawn().unwrap())
    }

    fn wait(&mut self) -> std::process::ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", "--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}
