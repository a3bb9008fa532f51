//! `sealwright quickstart`, as somebody runs it who has just got the program.

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{binary, run};

fn quickstart(folder: &Path) -> Command {
    let mut command = binary();
    command.arg("quickstart").current_dir(folder);
    command
}

/// What `quickstart --exit` says. It must succeed.
fn demonstration(folder: &Path) -> String {
    let output = run(quickstart(folder).arg("--exit"));
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert_eq!(err, "", "nothing is to be warned of");
    out
}

/// The first word of `text` that begins with `prefix`, without the prefix.
fn word<'a>(text: &'a str, prefix: &str) -> &'a str {
    let (_, rest) = text.split_once(prefix).unwrap_or_else(|| panic!("no {prefix} in:\n{text}"));
    rest.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap()
}

fn assert_private(folder: &Path) {
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    let files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn it_says_what_it_does_and_goes_on_with_the_same_client_in_a_second_run() {
    let folder = tempfile::tempdir().unwrap();
    let first = demonstration(folder.path());
    for plain in [
        "Made ./sealwright-quickstart: a SQLite database, a master key",
        "Made the demo client cli_",
        "Fetched a token from POST http://127.0.0.1:",
        "it lives 3600 seconds, with the scope orders:read",
        "Verified it offline",
        "\"typ\":\"at+jwt\",\"alg\":\"ES256\"",
        "\"environment\":\"production\"",
    ] {
        assert!(first.contains(plain), "no {plain} in:\n{first}");
    }
    assert_private(&folder.path().join("sealwright-quickstart"));

    let second = demonstration(folder.path());
    assert!(second.contains("Continuing with ./sealwright-quickstart"), "{second}");
    assert_eq!(word(&first, "cli_"), word(&second, "cli_"));
    assert_eq!(word(&first, "sws_"), word(&second, "sws_"));
    assert_private(&folder.path().join("sealwright-quickstart"));

    let folder = folder.path().join("sealwright-quickstart");
    let clients = run(binary().arg("--data-dir").arg(folder).args(["client", "list", "--json"]));
    let clients: Value = serde_json::from_slice(&clients.stdout).unwrap();
    assert_eq!(clients["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_after_its_secrets_were_replaced_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    demonstration(folder.path());
    let data = folder.path().join("sealwright-quickstart");
    let kept = data.join("demo-credentials.json");
    for (id, change) in [("client_id", &["client", "rotate-secret"]), ("key_id", &["key", "rotate"])] {
        let demo: Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
        let id = demo[id].as_str().unwrap();
        assert!(run(binary().arg("--data-dir").arg(&data).args(change).arg(id)).status.success());
        let refused = run(quickstart(folder.path()).arg("--exit"));
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        for word in [id, "401", "rotated", "Delete ./sealwright-quickstart/demo-credentials.json"] {
            assert!(said.contains(word), "no {word} in: {said}");
        }
        std::fs::remove_file(&kept).unwrap();
        demonstration(folder.path());
    }
}

#[test]
fn a_script_gets_it_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(quickstart(folder.path()).args(["--exit", "--json"]));
    assert!(output.status.success());
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["claims"]["client_id"], shown["client_id"]);
    assert_eq!((&shown["header"]["alg"], &shown["answer"]["token_type"]), (&"ES256".into(), &"Bearer".into()));
    assert!(shown["commands"].as_array().unwrap().len() > 3, "{shown}");
    let wrong = run(quickstart(folder.path()).args(["--json", "--no-such"]));
    assert_eq!(wrong.status.code(), Some(2));
    let said: Value = serde_json::from_slice(&wrong.stderr).unwrap();
    assert!(
        said["error"]["message"].as_str().unwrap().contains("--no-such") && said["error"]["code"] == "usage",
        "{said}"
    );
}

#[test]
fn it_takes_the_next_free_port_where_8080_is_taken() {
    // Where somebody else has it, it is taken as well.
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let folder = tempfile::tempdir().unwrap();
    let said = demonstration(folder.path());
    let port: u16 = word(&said, "http://127.0.0.1:").parse().unwrap();
    assert!((8081..8180).contains(&port), "{said}");
    assert!(said.contains(&format!("Port 8080 is taken; using {port}.")), "{said}");
    assert!(said.contains(&format!("\"iss\":\"http://127.0.0.1:{port}\"")), "{said}");
}

/// A quickstart that continues serving, ended when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read_until(out: &mut ChildStdout, last: &str) -> String {
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains(last) {
        let mut some = [0; 4096];
        let length = out.read(&mut some).unwrap();
        assert!(length > 0, "it ended:\n{}", String::from_utf8_lossy(&said));
        said.extend(&some[..length]);
    }
    String::from_utf8(said).unwrap()
}

#[test]
fn it_goes_on_serving_and_the_commands_that_it_prints_work_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = quickstart(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let _serving = Serving(child);
    let said = read_until(&mut out, "continues with this folder.\n");

    let (_, served) = said.split_once("Serving on ").unwrap();
    let url = served.split_once(". ").unwrap().0;
    let http = reqwest::blocking::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    assert_eq!(http.get(format!("{url}/healthz")).send().unwrap().status(), 200);

    let commands: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(commands.len(), 11, "{said}");
    let script = commands.join("\necho; echo ---\n");
    let output = run(Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("NO_PROXY", "*")
        .current_dir(folder.path()));
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{script}\n{out}{err}");
    let responses: Vec<&str> = out.split("\n---\n").collect();
    let json = |position: usize| -> Value { serde_json::from_str(responses[position]).unwrap() };
    assert_eq!(json(0)["token_type"], "Bearer");
    assert_eq!(json(1)["keys"].as_array().unwrap().len(), 3);
    assert_eq!(json(2)["issuer"], url);
    assert_eq!((&json(4)["active"], &json(4)["scope"]), (&true.into(), &"orders:read".into()));
    assert!(
        responses[5].starts_with("HTTP/1.1 200") && responses[5].contains("x-auth-credential: key_"),
        "{}",
        responses[5]
    );
    assert!(responses[6].contains("VALID"), "{}", responses[6]);
    assert!(responses[7].contains("sw_live_"), "{}", responses[7]);
    for listed in &responses[8..10] {
        assert!(listed.contains("quickstart demo"), "{listed}");
    }
    assert!(responses[10].contains("token.issue") && responses[10].contains("key.verify"), "{}", responses[10]);
}
