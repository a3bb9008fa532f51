//! Good clients at a set pace, with and without wrong secrets beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::figures::{goal, median, ms};
use super::seeds::Clients;
use super::wrk::Script;
use super::{Bench, Result};

const WARM_CLIENTS: usize = 50;
/// Requests a second.
const WARM: u64 = 500;
const COLD: usize = 10;
const WRONG: u64 = 1000;
/// Wrong secrets of each kind.
const WRONG_OF_A_KIND: usize = 250;

/// The results of a group's requests; times in microseconds.
pub(crate) struct Paced {
    name: String,
    /// Requests with the expected response.
    pub(crate) good: u64,
    p99: f64,
}

/// The p99 of warm and of cold clients, one for each turn.
#[derive(Default)]
struct Tails {
    warm: Vec<f64>,
    cold: Vec<f64>,
}

impl Bench {
    pub(crate) fn flood(&self) -> Result<()> {
        let (turns, cold) = (usize::try_from(self.options.turns)?, COLD * usize::try_from(self.options.seconds)?);
        let count = WARM_CLIENTS + 2 * turns * cold;
        let clients = self.seed_clients("flood", u64::try_from(count)?, u64::try_from(WARM_CLIENTS)?, 0)?;
        let live = fs::read_to_string(&clients.live)?;
        let live: Vec<&str> = live.lines().collect();
        let (warm, cold_clients) = live.split_at(WARM_CLIENTS);
        let warm = self.write("flood.warm", warm)?;
        let wrong = self.write("flood.wrong", &wrong_secrets(&clients)?)?;
        let server = self.start_server(&clients.data)?;
        self.load(Script::Token, &server.address, &warm, 5)?;
        let (mut calm, mut flooded) = (Tails::default(), Tails::default());
        // Each cold client is used once: its secret is checked by Argon2.
        let mut cold_clients = cold_clients.chunks(cold);
        for _ in 0..turns {
            let mut next = || self.write("flood.cold", cold_clients.next().unwrap_or_default());
            let groups = [("warm", WARM, warm.as_path()), ("cold", COLD as u64, &next()?)];
            calm.note(&self.tell("calm", &server.address, &groups)?);
            let cold = next()?;
            let groups = [groups[0], ("cold", COLD as u64, &cold), ("flood", WRONG, wrong.as_path())];
            flooded.note(&self.tell("flooded", &server.address, &groups)?);
        }
        let warm = median(&flooded.warm) / median(&calm.warm);
        let cold = median(&flooded.cold) / median(&calm.cold);
        println!("  p99 flooded over calm (medians): warm {warm:.3}, cold {cold:.3}");
        goal("warm clients' p99 within twice the calm one", warm <= 2.0);
        goal("cold clients' p99 within twice the calm one", cold <= 2.0);
        Ok(())
    }

    fn write(&self, name: &str, lines: &[impl AsRef<str>]) -> Result<PathBuf> {
        let text: String = lines.iter().flat_map(|line| [line.as_ref(), "\n"]).collect();
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Runs groups for a turn, and prints the results.
    fn tell(&self, when: &str, address: &str, groups: &[(&str, u64, &Path)]) -> Result<Vec<Paced>> {
        self.pace_and(address, self.options.seconds, groups, |name, line| println!("  {when}, {name}: {line}"))
    }

    /// Runs groups, each a name, requests a second and a file of ids and secrets.
    pub(crate) fn pace(&self, address: &str, seconds: u64, groups: &[(&str, u64, &Path)]) -> Result<Vec<Paced>> {
        self.pace_and(address, seconds, groups, |_, _| {})
    }

    fn pace_and(
        &self,
        address: &str,
        seconds: u64,
        groups: &[(&str, u64, &Path)],
        print: impl Fn(&str, &str),
    ) -> Result<Vec<Paced>> {
        let groups = groups.iter().map(|(name, rate, file)| format!("{name}:{rate}:{}", file.display()));
        let output =
            Command::new(self.example("paced-load")).args([address, &seconds.to_string()]).args(groups).output()?;
        let mut all = Vec::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let (name, figures) = line.split_once(' ').ok_or("the paced load prints no figures")?;
            let figures: Vec<u32> = figures.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
            let [good, other, failed, p50, p99, longest] = figures[..] else {
                return Err(format!("the figures of the paced load cannot be read: {line}").into());
            };
            let [median, tail, end] = [p50, p99, longest].map(|micros| ms(f64::from(micros)));
            let times = format!("p50 {median}, p99 {tail}, longest {end}");
            print(name, &format!("{good} as expected, {other} not, {failed} failed; {times}"));
            self.count_bad(u64::from(other) + u64::from(failed));
            all.push(Paced { name: name.to_owned(), good: good.into(), p99: p99.into() });
        }
        if all.is_empty() {
            return Err(format!("the paced load failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(all)
    }
}

impl Tails {
    fn note(&mut self, groups: &[Paced]) {
        for group in groups {
            match group.name.as_str() {
                "warm" => self.warm.push(group.p99),
                "cold" => self.cold.push(group.p99),
                _ => {}
            }
        }
    }
}

/// A quarter each: junk, well-formed secrets of existing clients, secrets of unknown clients, and secrets that were
/// replaced.
fn wrong_secrets(clients: &Clients) -> Result<Vec<String>> {
    let (live, rotated) = (fs::read_to_string(&clients.live)?, fs::read_to_string(&clients.rotated)?);
    let ids = live.lines().filter_map(|line| line.split_once(' ')).map(|(id, _)| id).cycle();
    let rotated = rotated.lines().cycle();
    let random = |length: usize, of: fn() -> char| -> String { (0..length).map(|_| of()).collect() };
    let secret = || format!("sws_{}", random(64, fastrand::alphanumeric));
    let hexadecimal = || fastrand::digit(16);
    let kinds = ids.zip(rotated).take(WRONG_OF_A_KIND).enumerate().flat_map(|(number, (id, replaced))| {
        let unknown = random(32, hexadecimal);
        [
            format!("{id} wrong{number}"),
            format!("{id} {}", secret()),
            format!("cli_{unknown} {}", secret()),
            replaced.to_owned(),
        ]
    });
    Ok(kinds.collect())
}
