//! The guide to tenants, run as it is written.

use std::path::Path;

use tempfile::TempDir;

use super::shell::{self, Step};
use crate::support::{both, free_port, programs};

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

/// The ports of the servers that a script starts.
fn started(script: &str, ports: &[(&str, u16)]) -> Vec<u16> {
    let lines = script.lines().filter(|line| line.ends_with('&') || line.contains("& #"));
    let port_of = |line: &str| {
        let named = ports.iter().find(|(_, free)| line.contains(&free.to_string()));
        named.unwrap_or_else(|| panic!("no port: {line}")).1
    };
    lines.map(port_of).collect()
}

/// The script of a step, and then a wait until the servers listen that it starts.
fn with_waits(script: &str, ports: &[(&str, u16)]) -> String {
    let waits = started(script, ports).into_iter().map(shell::wait_for);
    std::iter::once(script.to_owned()).chain(waits).collect::<Vec<_>>().join("\n")
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
    let example = programs::rust("resource-server").get_program().to_str().unwrap().to_owned();
    for (name, script) in [("cargo", format!("exec '{example}'")), ("npm", "true".into()), ("pip", "true".into())] {
        shell::add_program(&folder.path().join("bin"), name, &script);
    }
    folder
}

both! {
    /// Every command of the guide to tenants prints what the guide says.
    fn the_guide_to_tenants_is_true(database: without_credentials) {
        let guide = std::fs::read_to_string(programs::source("docs/guides/tenants.md")).unwrap();
        let (guide, ports) = with_free_ports(&guide);
        let steps = shell::steps(&guide);
        assert!(steps.iter().filter(|step| !step.expected.is_empty()).count() >= 8, "the guide shows what happens");
        let all: Vec<u16> = steps.iter().flat_map(|step: &Step| started(&step.script, &ports)).collect();
        assert_eq!(all.len(), ports.len(), "every port has a server");
        let folder = checkout(&ports);
        let mut command = shell::shell_in(folder.path());
        command.env("SEALWRIGHT_DATA_DIR", database.data_dir());
        command.env("SEALWRIGHT_LISTEN", format!("127.0.0.1:{}", ports[0].1));
        if let Some(url) = database.url() {
            command.env("SEALWRIGHT_DATABASE_URL", url);
        }
        shell::run(command, folder.path(), "", &steps, |script| with_waits(script, &ports));
    }
}
