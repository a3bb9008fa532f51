//! `sealwright audit list --follow`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

use crate::api::text;
use crate::database::positions::unpositioned;
use crate::support::{Server, both, eventually};

/// A command that runs until it is ended, with the lines that it prints.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (said, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        // Ends with the receiver, and closes the pipe.
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("a line")
    }

    #[track_caller]
    fn next_request(&self) -> String {
        text(&serde_json::from_str::<Value>(&self.next()).unwrap()["request_id"])
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

both! {
    fn events_are_printed_once_and_in_their_order_as_they_are_stored(database) {
        let server = Server::start(database);
        let (client, other) = (server.client("orders:read"), server.client("orders:read"));
        let ask = || server.token(&client).header("x-request-id").to_owned();
        let (_, second, third) = (ask(), ask(), ask());
        eventually("they have their positions", Duration::from_secs(30), || unpositioned(&server.database) == 0);
        let filter = ["audit", "list", "--follow", "--credential", &client.id, "--action", "token.issue"];
        let follower = Follower::start(server.command(&filter).args(["--limit", "2", "--json"]));
        assert_eq!([follower.next_request(), follower.next_request()], [second, third], "the newest, oldest first");
        for _ in 0..3 {
            server.token(&other);
            let expected = [ask(), ask()];
            assert_eq!([follower.next_request(), follower.next_request()], expected);
        }
        assert!(follower.lines.recv_timeout(Duration::from_secs(2)).is_err(), "nothing is printed twice");

        let mut table = Follower::start(server.command(&filter).args(["--limit", "1"]));
        assert!(table.next().starts_with("TIME"));
        assert!(table.next().contains(&client.id));
        let next = ask();
        assert!(table.next().contains(&next));
        // Nobody reads any more: it ends with the next event.
        drop(std::mem::replace(&mut table.lines, mpsc::channel().1));
        eventually("the command ends", Duration::from_secs(30), || {
            ask();
            table.child.try_wait().unwrap().is_some_and(|status| status.success())
        });
    }
}
