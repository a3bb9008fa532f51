//! Turns of a bare handler and the server, one after the other.

use std::path::Path;

use super::figures::{median, mib, ms};
use super::process::Process;
use super::wrk::{Load, Script};
use super::{Bench, Result};

/// The medians of all turns.
pub(crate) struct Comparison {
    pub(crate) rate: f64,
    pub(crate) bare_rate: f64,
    pub(crate) p99: f64,
}

impl Comparison {
    pub(crate) fn ratio(&self) -> f64 {
        self.rate / self.bare_rate
    }
}

/// The turns of one side, in their order.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    tails: Vec<f64>,
    /// Microseconds of processor time for a request.
    costs: Vec<f64>,
}

impl Bench {
    /// Compares them with the credentials of a file, after `warm_up` has brought the server into its usual state.
    pub(crate) fn compare(
        &self,
        name: &str,
        script: Script<'_>,
        data: &Path,
        credentials: &Path,
        warm_up: impl FnOnce(&Process) -> Result<()>,
    ) -> Result<Comparison> {
        let (bare, server) = (self.start_bare()?, self.start_server(data)?);
        let before = server.resident()?;
        self.load(script, &bare.address, credentials, 3)?;
        warm_up(&server)?;
        let (mut of_bare, mut of_server) = (Side::default(), Side::default());
        for turn in 1..=self.options.turns {
            for (title, process, side) in
                [("bare handler:  ", &bare, &mut of_bare), ("server:        ", &server, &mut of_server)]
            {
                // What the server has put off during its turn would slow down the bare handler's.
                server.settle()?;
                let begun = process.processor_time()?;
                let load = self.load(script, &process.address, credentials, self.options.seconds)?;
                let cost = side.note(&load, process.processor_time()? - begun);
                let [p50, p99, longest] = [load.p50, load.p99, load.longest].map(ms);
                println!(
                    "  turn {turn}, {title} {}/s, p50 {p50}, p99 {p99}, longest {longest}, {cost:.0} µs of CPU each",
                    load.rate
                );
            }
        }
        println!("  server's memory: {} before, {} after", mib(before), mib(server.resident()?));
        Ok(summarize(name, &of_bare, &of_server))
    }
}

impl Side {
    /// Adds a turn with the milliseconds of processor time that it took; the microseconds for each request.
    fn note(&mut self, load: &Load, milliseconds: u64) -> f64 {
        #[allow(clippy::cast_precision_loss)] // far below 2^52
        let cost = (milliseconds * 1000) as f64 / load.requests.max(1) as f64;
        self.rates.push(load.rate);
        self.tails.push(load.p99);
        self.costs.push(cost);
        cost
    }
}

fn summarize(name: &str, bare: &Side, server: &Side) -> Comparison {
    let [rate, p99, cost] = [&server.rates, &server.tails, &server.costs].map(|figures| median(figures));
    let [bare_rate, bare_p99, bare_cost] = [&bare.rates, &bare.tails, &bare.costs].map(|figures| median(figures));
    let comparison = Comparison { rate, bare_rate, p99 };
    println!(
        "  {name}: ratio {:.3} (medians: {rate:.0}/s of {bare_rate:.0}/s), p99 {} (bare: {}), \
         CPU a request {cost:.0} µs (bare: {bare_cost:.0} µs)",
        comparison.ratio(),
        ms(p99),
        ms(bare_p99),
    );
    comparison
}
