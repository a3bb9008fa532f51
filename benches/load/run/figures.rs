//! Figures as they are printed.

#![allow(clippy::cast_precision_loss)] // figures of a run are far below 2^52

/// The median; of an even number the mean of the two in the middle.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

/// Prints whether a goal is reached.
pub(crate) fn goal(text: &str, is_reached: bool) {
    println!("  goal: {text}: {}", if is_reached { "reached" } else { "MISSED" });
}

/// Milliseconds with two decimals, of microseconds.
pub(crate) fn ms(micros: f64) -> String {
    format!("{:.2} ms", micros / 1000.0)
}

/// MiB with one decimal, of KiB.
pub(crate) fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// The memory during a run, which should not grow.
#[derive(Default)]
pub(crate) struct Growth {
    halfway: Option<u64>,
    last: u64,
}

impl Growth {
    /// Records the memory in KiB after a number of requests.
    pub(crate) fn note(&mut self, kib: u64, done: u64, all: u64) {
        if done >= all / 2 {
            self.halfway.get_or_insert(kib);
        }
        self.last = kib;
    }

    /// Prints whether it stayed below 100 MB, and within 5 % of its size halfway.
    pub(crate) fn judge(&self, done: &str) {
        let halfway = self.halfway.unwrap_or(self.last);
        goal(&format!("under 100 MB after {done}"), self.last * 1024 < 100_000_000);
        goal("grown by less than 5 % in the second half", self.last * 100 < halfway * 105);
    }
}
