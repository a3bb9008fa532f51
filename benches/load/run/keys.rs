//! Measures verify and forward-auth under load.

use std::time::{Duration, Instant};

use super::figures::{Growth, goal, mib, ms};
use super::process::Process;
use super::seeds::{Keys, count_lines};
use super::tokens::PATIENCE;
use super::wrk::Script;
use super::{Bench, Result};

/// Keys of a run that is not about their number.
const KEYS: u64 = 64;
/// The metric that counts look-ups of credentials in the database.
const LOOK_UPS: &str = "sealwright_credential_cache_misses_total ";

impl Bench {
    pub(crate) fn verify(&self) -> Result<()> {
        let keys = self.seed_keys("verify", KEYS, 0)?;
        self.compare_keys("verify", Script::Verify(&keys.verifier), &keys, 0.4)
    }

    pub(crate) fn forward_auth(&self) -> Result<()> {
        let keys = self.seed_keys("forward", KEYS, 0)?;
        self.compare_keys("forward-auth", Script::ForwardAuth, &keys, 0.4)
    }

    pub(crate) fn million_keys(&self) -> Result<()> {
        let (used, all) = (self.options.keys, self.options.keys + self.options.copies);
        let keys = self.seed_keys("many-keys", used, self.options.copies)?;
        let name = format!("{used} keys of {all} in use");
        self.compare_keys(&format!("verify, {name}"), Script::Verify(&keys.verifier), &keys, 0.35)?;
        self.compare_keys(&format!("forward-auth, {name}"), Script::ForwardAuth, &keys, 0.35)
    }

    /// Compares after each key was used at least once. The goal is this much of the bare handler's rate.
    fn compare_keys(&self, name: &str, script: Script<'_>, keys: &Keys, least: f64) -> Result<()> {
        let seconds = 3 + count_lines(&keys.values)? / 5000;
        let compared = self.compare(name, script, &keys.data, &keys.values, |server| {
            self.load(script, &server.address, &keys.values, seconds).map(drop)
        })?;
        goal(&format!("at least {least} of the bare handler"), compared.ratio() >= least);
        goal("p99 under 10 ms", compared.p99 < 10_000.0);
        Ok(())
    }

    pub(crate) fn unknown_keys(&self) -> Result<()> {
        let Keys { data, values, verifier } = self.seed_keys("unknown", KEYS, 0)?;
        let server = self.start_server(&data)?;
        println!("  started: {}", mib(server.resident()?));
        let (begun, mut done, mut growth) = (Instant::now(), 0, Growth::default());
        while done < self.options.tokens && begun.elapsed() < PATIENCE {
            let load = self.load(Script::Unknown(&verifier), &server.address, &values, self.options.seconds)?;
            done += load.requests;
            let (resident, queries) = (server.resident()?, look_ups(&server)?);
            let (memory, p99) = (mib(resident), ms(load.p99));
            println!("  {done} unknown keys: {memory}, {}/s, p99 {p99}, {queries} queries for keys", load.rate);
            growth.note(resident, done, self.options.tokens);
            // The keys of a run carry the second of its start.
            std::thread::sleep(Duration::from_secs(1));
        }
        // wrk counts responses that arrive while it runs; each run ends with some requests in progress.
        goal("no query for a wrong checksum", look_ups(&server)? <= done / 2 + 1000);
        growth.judge(&format!("{done} unknown keys"));
        Ok(())
    }
}

fn look_ups(server: &Process) -> Result<u64> {
    let metrics = server.get("/metrics")?;
    let number = metrics.lines().find_map(|line| line.strip_prefix(LOOK_UPS));
    Ok(number.ok_or_else(|| format!("/metrics has no {LOOK_UPS}"))?.trim().parse()?)
}
