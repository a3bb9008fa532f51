//! Measures the token endpoint under load.

use std::path::Path;
use std::time::{Duration, Instant};

use super::figures::{Growth, goal, median, mib, ms};
use super::process::Process;
use super::seeds::{Clients, copy_data, count_lines};
use super::wrk::Script;
use super::{Bench, Result};

/// Longest time of a loop over a million requests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1800);
/// Clients of a run that is not about their number.
const CLIENTS: u64 = 64;
const MANY_CLIENTS: u64 = 2000;

impl Bench {
    pub(crate) fn ratio(&self) -> Result<()> {
        let clients = self.seed_clients("ratio", CLIENTS, 0, 0)?;
        let compared = self.compare_tokens("ratio", &clients.data, &clients.live)?;
        // Signatures of RSA take so long that everything else matters less.
        let least = if self.options.algorithm.starts_with("RS") { 0.9 } else { 0.7 };
        goal(&format!("at least {least} of the bare handler"), compared.ratio() >= least);
        goal("p99 under 20 ms", compared.p99 < 20_000.0);
        Ok(())
    }

    pub(crate) fn memory(&self) -> Result<()> {
        let Clients { data, live, .. } = self.seed_clients("memory", CLIENTS, 0, 0)?;
        let server = self.start_server(&data)?;
        println!("  started: {}", mib(server.resident()?));
        let (begun, mut done, mut growth) = (Instant::now(), 0, Growth::default());
        while done < self.options.tokens && begun.elapsed() < PATIENCE {
            let load = self.load(Script::Token, &server.address, &live, self.options.seconds)?;
            done += load.requests;
            let resident = server.resident()?;
            println!("  {done} tokens: {}, {}/s, p99 {}", mib(resident), load.rate, ms(load.p99));
            growth.note(resident, done, self.options.tokens);
        }
        growth.judge(&format!("{done} tokens"));
        Ok(())
    }

    pub(crate) fn start(&self) -> Result<()> {
        let clients = self.seed_clients("start", CLIENTS, 0, 0)?;
        goal("under 500 ms", self.time_starts("start", &clients.data)? < 500.0);
        Ok(())
    }

    pub(crate) fn million_clients(&self) -> Result<()> {
        let few = self.seed_clients("few", MANY_CLIENTS, 0, 0)?;
        let many = self.path("many");
        copy_data(&few.data, &many)?;
        self.seed_clients("many", 1, 0, self.options.copies)?;
        let few_start = self.time_starts("few", &few.data)?;
        let many_start = self.time_starts("many", &many)?;
        goal("a start no slower (half as long again, for noise)", many_start < 1.5 * few_start + 20.0);
        let with_few = self.compare_tokens("two thousand clients", &few.data, &few.live)?;
        let name = format!("{} clients more, two thousand in use", self.options.copies);
        let with_many = self.compare_tokens(&name, &many, &few.live)?;
        // Each is compared with the bare handler of its own turns, because the two are minutes apart.
        goal("the same speed (a tenth, for noise)", with_many.ratio() > 0.9 * with_few.ratio());
        goal("p99 under 20 ms", with_many.p99 < 20_000.0);
        println!("  p99 with few: {}, with many: {}", ms(with_few.p99), ms(with_many.p99));
        Ok(())
    }

    fn compare_tokens(&self, name: &str, data: &Path, live: &Path) -> Result<super::compare::Comparison> {
        self.compare(name, Script::Token, data, live, |server| self.warm_up(server, live))
    }

    /// Uses every client at least once, so that no turn includes the first check of a secret.
    fn warm_up(&self, server: &Process, live: &Path) -> Result<()> {
        let groups = self.pace(&server.address, 600, &[("cold", 100_000, live)])?;
        let good = groups.first().map_or(0, |group| group.good);
        if good != count_lines(live)? {
            return Err(format!("warming up: only {good} clients got their tokens").into());
        }
        self.load(Script::Token, &server.address, live, 3).map(drop)
    }

    /// Starts on a data folder as often as there are turns; the median in milliseconds.
    fn time_starts(&self, name: &str, data: &Path) -> Result<f64> {
        let mut all = Vec::new();
        for _ in 0..self.options.turns {
            all.push(self.start_server(data)?.ready_after.as_secs_f64() * 1000.0);
        }
        let each: Vec<String> = all.iter().map(|took| format!("{took:.0}")).collect();
        println!("  {name}: ready after {} ms, median {:.0} ms", each.join(" "), median(&all));
        Ok(median(&all))
    }
}
