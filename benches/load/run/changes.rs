//! Token requests beside steady changes of the same clients by another process, against the same without.

use std::process::{Command, Stdio};

use super::figures::{goal, median, ms};
use super::seeds::Clients;
use super::wrk::Script;
use super::{Bench, Result};

const CLIENTS: u64 = 64;
/// Changes a second.
const CHANGES: u64 = 100;

impl Bench {
    pub(crate) fn changes(&self) -> Result<()> {
        let clients = self.seed_clients("changes", CLIENTS, 0, 0)?;
        let server = self.start_server(&clients.data)?;
        self.load(Script::Token, &server.address, &clients.live, 3)?;
        let (mut calm, mut changing, mut made) = (Vec::new(), Vec::new(), 0);
        for turn in 1..=self.options.turns {
            let alone = self.load(Script::Token, &server.address, &clients.live, self.options.seconds)?;
            let beside = self.steady_changes(&clients, &server.address).stdout(Stdio::piped()).spawn()?;
            let loaded = self.load(Script::Token, &server.address, &clients.live, self.options.seconds)?;
            let output = beside.wait_with_output()?;
            let changes: u64 = String::from_utf8(output.stdout)?.trim().parse()?;
            println!(
                "  turn {turn}: {}/s, p99 {}; beside {changes} changes {}/s, p99 {}",
                alone.rate,
                ms(alone.p99),
                loaded.rate,
                ms(loaded.p99)
            );
            calm.push(alone.rate);
            changing.push(loaded.rate);
            made += changes;
        }
        let ratio = median(&changing) / median(&calm);
        println!("  beside changes over alone (medians): {ratio:.3}");
        goal("at most a tenth slower", ratio >= 0.9);
        goal("a hundred changes a second (nine tenths, for the start)", {
            made * 10 >= CHANGES * self.options.seconds * self.options.turns * 9
        });
        Ok(())
    }

    /// The program that changes the clients for a turn.
    fn steady_changes(&self, clients: &Clients, address: &str) -> Command {
        let mut command = Command::new(self.example("steady-changes"));
        command.arg(&clients.data).arg(format!("http://{address}"));
        command.args([self.options.seconds, CHANGES].map(|number| number.to_string())).arg(&clients.live);
        command.stdin(Stdio::null());
        command
    }
}
