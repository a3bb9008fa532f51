//! RFC 6749 §5.2: the time of a refusal does not tell an unknown client from one with a wrong secret, nor from one that
//! is not active.
//!
//! Both are asked in turns, in random order, so that whatever else the machine does falls on both alike. The rank
//! statistic of Wilcoxon over the differences of these pairs is not moved by a few slow requests. There is a difference
//! if it is significant (4 standard deviations, which chance alone exceeds once in 16,000 runs) and at least 1 % of the
//! median. If there seems to be one, more pairs decide: what is chance fades, and what is real becomes clearer.

use std::time::{Duration, Instant};

use super::start;
use crate::support::{Server, TestClient, both};

/// How many standard deviations are a difference.
const SIGNIFICANT: f64 = 4.0;
/// The smallest difference that counts, as a part of the median.
const SMALLEST: f64 = 0.01;
/// Most pairs, as a multiple of the fewest.
const MOST: usize = 4;

/// The times of pairs of requests, in nanoseconds.
#[derive(Default)]
struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Measures both in random order.
    fn measure(&mut self, server: &Server, [one, other]: [&TestClient; 2]) {
        let time = |client: &TestClient| {
            let began = Instant::now();
            assert_eq!(server.token(client).status, 401);
            began.elapsed().as_nanos() as f64
        };
        let pair = if fastrand::bool() {
            let first = time(one);
            (first, time(other))
        } else {
            let first = time(other);
            (time(one), first)
        };
        self.0.push(pair);
    }

    /// Wilcoxon's signed ranks of the differences, in standard deviations.
    fn ranks(&self) -> f64 {
        let mut differences: Vec<f64> = self.0.iter().map(|(one, other)| one - other).collect();
        differences.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
        let ranks = differences.iter().zip(1..);
        let positive: f64 = ranks.filter(|(difference, _)| **difference > 0.0).map(|(_, rank)| f64::from(rank)).sum();
        let count = self.0.len() as f64;
        let deviation = (count * (count + 1.0) * (2.0 * count + 1.0) / 24.0).sqrt();
        (positive - count * (count + 1.0) / 4.0) / deviation
    }

    /// The median of the differences, as a part of the median time.
    fn difference(&self) -> f64 {
        let median = |mut values: Vec<f64>| {
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let differences = self.0.iter().map(|(one, other)| one - other).collect();
        median(differences) / median(self.0.iter().map(|(_, other)| *other).collect())
    }

    fn differ(&self) -> bool {
        self.ranks().abs() >= SIGNIFICANT && self.difference().abs() >= SMALLEST
    }
}

#[allow(clippy::print_stderr, reason = "the figures are shown where the test fails or output is asked for")]
/// Asserts that the clients are refused in the same time, after at least `fewest` pairs. `pause` is how long the
/// server's clock moves after each.
#[track_caller]
fn assert_same_time(server: &Server, name: &str, clients: [&TestClient; 2], fewest: usize, pause: Duration) {
    let mut pairs = Pairs::default();
    while pairs.0.len() < fewest || (pairs.differ() && pairs.0.len() < fewest * MOST) {
        for _ in 0..fewest {
            pairs.measure(server, clients);
            server.advance(pause.as_millis() as i64);
        }
    }
    let figures = format!("{} pairs, z = {:.1}, {:.2} %", pairs.0.len(), pairs.ranks(), pairs.difference() * 100.0);
    eprintln!("{name}: {figures}");
    assert!(!pairs.differ(), "{name} can be told from an unknown client: {figures}");
}

both! {
    fn refusals_take_the_same_time(database) {
        let server = start(database, &[]);
        let good = server.client("orders:read");
        let unknown = TestClient { id: "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e".into(), ..good.clone() };
        let wrong = TestClient { secret: good.secret.replace("sws_", "sws_0"), ..good.clone() };
        for client in [&good, &wrong, &unknown] {
            server.token(client);
        }
        // First while refusals are only counted, since there are many; then while each is stored.
        assert_same_time(&server, "a wrong secret", [&wrong, &unknown], 1_000, Duration::ZERO);
        assert_same_time(&server, "a stored wrong secret", [&wrong, &unknown], 300, Duration::from_millis(2_500));
        for (name, options, action) in [
            ("a disabled client", &[][..], Some("disable")),
            ("a revoked client", &[], Some("revoke")),
            ("another environment's client", &["--environment", "staging"], None),
        ] {
            let client = server.client_with("orders:read", options);
            if let Some(action) = action {
                server.manage("POST", &format!("/clients/{}/{action}", client.id), None);
            }
            server.token(&client);
            assert_same_time(&server, name, [&client, &unknown], 200, Duration::ZERO);
        }
    }
}

#[test]
fn a_difference_of_two_percent_is_found_in_noise() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut noisy = |centre: f64| {
        let slow = if random.u8(0..20) == 0 { 3.0 } else { 1.0 };
        centre * slow * (0.9 + 0.2 * random.f64())
    };
    let mut pairs =
        |difference: f64| Pairs((0..1_000).map(|_| (noisy(1e6 * (1.0 + difference)), noisy(1e6))).collect());
    assert!(pairs(0.02).differ() && pairs(-0.02).differ());
    assert!(!pairs(0.0).differ());
}
