//! Figures in the OpenMetrics text format. No label names a credential.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::UnreadHeads;
use crate::service::Services;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// What is counted as it happens.
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    heads: UnreadHeads,
}

impl Metrics {
    pub fn new(heads: UnreadHeads) -> Self {
        Self {
            requests: Family::default(),
            // From 100 microseconds to about three seconds.
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.0001, 2.0, 16))),
            heads,
        }
    }

    /// Counts a request that has its response.
    pub fn count_request(&self, route: &str, status: u16, elapsed: Duration) {
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
        self.seconds.get_or_create(&RouteLabels { route: route.to_owned() }).observe(elapsed.as_secs_f64());
    }

    /// Everything, with what the services count themselves.
    pub fn render(&self, services: &Services) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("sealwright");
        registry.register("http_requests", "Requests with a response", self.requests.clone());
        let help = "Heads that were refused before they were a request";
        registry.register("http_unread_heads", help, self.heads.counts());
        registry.register_with_unit(
            "http_request_duration",
            "Time to the response",
            Unit::Seconds,
            self.seconds.clone(),
        );
        let journal = services.recorder.journal().stats();
        let (hits, misses) = services.access.credentials.hits_and_misses();
        let argon2 = services.tokens.authenticator.proven.argon2_checks();
        for (name, help, value) in [
            ("audit_events", "Audit events stored", journal.events.load(Ordering::Relaxed)),
            ("audit_commits", "Transactions that stored audit events", journal.commits.load(Ordering::Relaxed)),
            ("audit_failures", "Audit events that could not be stored", journal.failures.load(Ordering::Relaxed)),
            ("credential_cache_hits", "Look-ups of credentials without a query", hits),
            ("credential_cache_misses", "Look-ups of credentials that took a query", misses),
            (
                "audit_summed_refusals",
                "Refusals that were counted instead of stored",
                services.recorder.flood().summed(),
            ),
            ("argon2_checks", "Secrets and passwords that Argon2 had to check", argon2),
        ] {
            registry.register(name, help, ConstCounter::new(value));
        }
        register_disk(&mut registry, services);
        register_lines(&mut registry, services);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// Figures about the disk of a SQLite file.
fn register_disk(registry: &mut Registry, services: &Services) {
    let Some(disk) = services.recorder.store().free_disk_blocking() else { return };
    registry.register_with_unit(
        "free_disk",
        "Disk that is free for the database",
        Unit::Bytes,
        ConstGauge::new(disk.free.as_bytes()),
    );
    let is_low = i64::from(services.recorder.flood().is_disk_low());
    let help = "1 while less than min_free_disk is free, and refusals are not stored";
    registry.register("disk_low", help, ConstGauge::new(is_low));
}

/// Figures about events as lines of JSON, where they are written.
fn register_lines(registry: &mut Registry, services: &Services) {
    let Some(lines) = &services.lines else { return };
    let (written, failures) = lines.counts();
    let lag = Duration::from_millis(lines.lag_millis(services.recorder.now()));
    registry.register("audit_lines", "Audit events written as lines of JSON", ConstCounter::new(written));
    registry.register("audit_lines_failures", "Failed attempts to write lines of JSON", ConstCounter::new(failures));
    registry.register_with_unit(
        "audit_lines_lag",
        "Age of the oldest audit event that is not written as a line of JSON",
        Unit::Seconds,
        ConstGauge::new(lag.as_secs_f64()),
    );
}
