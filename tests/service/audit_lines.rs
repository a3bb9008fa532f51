//! `audit_json_lines`: every event is one whole line, once, whoever made it and whatever becomes of the server, and
//! nothing waits for the file.

use std::collections::HashSet;
use std::io::Read as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::raw::Connection;
use crate::support::{Database, Kind, Server, TestClient, both, eventually, pause};

fn spawn(database: Database, file: &Path) -> Server {
    Server::spawn_with(database, &[("AUDIT_JSON_LINES", file.to_str().unwrap())])
}

fn file_of(database: &Database) -> PathBuf {
    database.folder.path().join("events.jsonl")
}

fn unlimited(server: &Server) -> TestClient {
    server.client_with("orders:read", &["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"])
}

/// The whole lines of files, in their order.
fn lines(files: &[&Path]) -> Vec<Value> {
    let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect();
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("torn: {line}"))).collect()
}

fn stored(database: &Database) -> Vec<String> {
    database.texts("SELECT id AS t FROM audit_log ORDER BY serial")
}

/// Waits until the files have every event, and checks that they have each once, in the order of positions.
#[track_caller]
fn assert_complete(database: &Database, files: &[&Path]) {
    let ids =
        |lines: &[Value]| -> Vec<String> { lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect() };
    let is_complete = || {
        let written: HashSet<String> = ids(&lines(files)).into_iter().collect();
        stored(database).iter().all(|id| written.contains(id))
    };
    eventually("every event is written", Duration::from_secs(30), is_complete);
    let lines = lines(files);
    assert_eq!(ids(&lines), stored(database));
    let positions: Vec<i64> = lines.iter().map(|line| line["position"].as_i64().unwrap()).collect();
    assert!(positions.iter().copied().eq(1..=i64::try_from(positions.len()).unwrap()), "{positions:?}");
}

fn lag(server: &Server) -> f64 {
    let metrics = server.get("/metrics").text;
    let value = metrics.lines().find_map(|line| line.strip_prefix("sealwright_audit_lines_lag_seconds "));
    value.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

/// A pipe in the database's folder.
fn pipe_of(database: &Database) -> PathBuf {
    let pipe = database.folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

both! {
    /// Callers hang up before they have their response, and commands write beside the server.
    fn every_event_is_one_line_whoever_made_it(database) {
        let file = file_of(&database);
        let server = spawn(database, &file);
        let (client, token) = (unlimited(&server), server.owner());
        let address = server.url.split_once("://").unwrap().1.parse().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (server, client, token) = (&server, &client, &token);
                scope.spawn(move || {
                    for number in 0..3 {
                        server.cli(&["scope", "create", &format!("command{thread}:x{number}")]);
                    }
                });
                scope.spawn(move || {
                    for number in 0..30 {
                        assert_eq!(server.token(client).status, 200);
                        let body = format!("{{\"name\": \"hangup{thread}:x{number}\"}}");
                        let mut connection = Connection::to(address);
                        connection.send(format!(
                            "POST /api/v1/scopes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
                             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                            body.len()
                        ));
                        if number % 3 > 0 {
                            pause("it is being served", Duration::from_millis(number));
                        }
                    }
                });
            }
        });
        pause("what callers have left behind ends", Duration::from_millis(500));
        let created = "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'scope.create' AND outcome = 'success'";
        assert!(server.database.numbers(created)[0] > 20, "some changes are made");
        assert_complete(&server.database, &[&file]);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        eventually("nothing is left to write", Duration::from_secs(5), || lag(&server) == 0.0);
    }

    /// A reader that opens the pipe and reads nothing is worse than none.
    fn an_unread_pipe_delays_nothing(database) {
        let pipe = pipe_of(&database);
        let mut server = spawn(database, &pipe);
        let client = unlimited(&server);
        let grant = |count: usize| {
            for _ in 0..count {
                let asked = Instant::now();
                assert_eq!(server.token(&client).status, 200);
                assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
            }
        };
        grant(5);
        let mut options = std::fs::OpenOptions::new();
        let mut reader = options.read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
        grant(200);
        eventually("the lag shows", Duration::from_secs(20), || lag(&server) > 1.5);
        grant(5);

        let mut text = Vec::new();
        let mut drain = |server: &Server| {
            let mut part = [0; 65_536];
            while let Ok(read) = reader.read(&mut part) {
                text.extend_from_slice(&part[..read]);
            }
            let ends = text.iter().filter(|byte| **byte == b'\n').count();
            ends >= stored(&server.database).len()
        };
        eventually("every event comes through", Duration::from_secs(30), || drain(&server));
        let file = file_of(&server.database);
        std::fs::write(&file, &text).unwrap();
        assert_complete(&server.database, &[&file]);
        eventually("nothing is left to write", Duration::from_secs(5), || lag(&server) == 0.0);

        for _ in 0..200 {
            assert_eq!(server.token(&client).status, 200);
        }
        let asked = Instant::now();
        server.signal("TERM");
        assert!(server.wait());
        assert!(asked.elapsed() < Duration::from_secs(10), "a stop does not wait for the reader");
    }

    fn a_restart_continues_where_the_last_line_was(database) {
        let file = file_of(&database);
        let mut server = spawn(database, &file);
        let client = unlimited(&server);
        for signal in ["TERM", "KILL", "KILL"] {
            for _ in 0..60 {
                assert_eq!(server.token(&client).status, 200);
            }
            server.signal(signal);
            server.wait();
            // Nobody but commands is there now.
            server.cli(&["scope", "list"]);
            server.restart();
        }
        assert_eq!(server.token(&client).status, 200);
        assert_complete(&server.database, &[&file]);
    }

    /// What was written and is not in the cursor yet is found at the end of the file, unless that was renamed: then it
    /// is written again, and its positions show it.
    fn a_kill_repeats_lines_only_of_a_file_that_was_renamed(database) {
        const CURSOR: &str = "SELECT position AS n FROM audit_cursors WHERE name LIKE 'lines of %'";
        const KEPT: &str = "UPDATE audit_cursors SET position = position - 3 WHERE name LIKE 'lines of %'";
        let (file, old) = (file_of(&database), database.folder.path().join("events.jsonl.1"));
        let mut server = spawn(database, &file);
        let client = unlimited(&server);
        for is_renamed in [false, true] {
            for _ in 0..5 {
                assert_eq!(server.token(&client).status, 200);
            }
            assert_complete(&server.database, &[&file]);
            let count = i64::try_from(stored(&server.database).len()).unwrap();
            let is_stored = || server.database.numbers(CURSOR) == [count];
            eventually("the cursor is stored", Duration::from_secs(30), is_stored);
            server.kill();
            server.database.execute(KEPT);
            if is_renamed {
                std::fs::rename(&file, &old).unwrap();
            }
            server.restart();
        }
        assert_eq!(server.token(&client).status, 200);
        let end = lines(&[&old]);
        let id = |line: &Value| line["id"].as_str().unwrap().to_owned();
        let everything = || {
            let written: HashSet<String> = lines(&[&old, &file]).iter().map(id).collect();
            stored(&server.database).iter().all(|id| written.contains(id))
        };
        eventually("every event is written", Duration::from_secs(30), everything);
        assert_eq!(lines(&[&file])[..3], end[end.len() - 3..], "the same lines again");
    }
}

/// As a tool that rotates files does it.
#[test]
fn a_hangup_opens_the_file_again() {
    let database = Database::new(Kind::Sqlite);
    let (file, old) = (file_of(&database), database.folder.path().join("events.jsonl.1"));
    let server = spawn(database, &file);
    let client = server.client("orders:read");
    assert_complete(&server.database, &[&file]);
    std::fs::rename(&file, &old).unwrap();
    assert_eq!(server.token(&client).status, 200);
    assert_complete(&server.database, &[&old]);
    server.signal("HUP");
    pause("the signal arrives", Duration::from_millis(300));
    assert_eq!(server.token(&client).status, 200);
    assert_complete(&server.database, &[&old, &file]);
    assert!(!lines(&[&file]).is_empty());
}

/// Each process with the setting writes all events, those of other processes, too.
#[test]
fn each_process_writes_all_events() {
    let database = Database::new(Kind::Postgres);
    let (file, other) = (file_of(&database), database.folder.path().join("other.jsonl"));
    let server = spawn(database, &file);
    let client = unlimited(&server);
    let settings = [("AUDIT_JSON_LINES", other.to_str().unwrap()), ("NODE_NAME", "second")];
    let beside = server.beside(&settings);
    for _ in 0..20 {
        assert_eq!(server.token(&client).status, 200);
        assert_eq!(beside.token(&client).status, 200);
    }
    assert_complete(&server.database, &[&file]);
    assert_complete(&server.database, &[&other]);
}

#[test]
fn a_file_that_cannot_be_opened_is_named_at_the_start() {
    let database = Database::new(Kind::Sqlite);
    let missing = database.folder.path().join("missing/events.jsonl");
    let settings = [("AUDIT_JSON_LINES", missing.to_str().unwrap()), ("LISTEN", "127.0.0.1:0")];
    let refused = crate::database::refusal(crate::database::command_on(&database, &settings, &["serve"]));
    assert!(refused.contains("setting audit_json_lines") && refused.contains("missing/events.jsonl"), "{refused}");
}
