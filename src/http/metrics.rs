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
use super::error::ProblemCode;
use crate::domain::audit::Reason;
use crate::domain::key_code::KeyCode;
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

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// What is counted as it happens.
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    verifications: Family<CodeLabels, Counter>,
    forward_auth: Family<CodeLabels, Counter>,
    refused_tokens: Family<ReasonLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    heads: UnreadHeads,
}

impl Metrics {
    pub fn new(heads: UnreadHeads) -> Self {
        Self {
            requests: Family::default(),
            verifications: Family::default(),
            forward_auth: Family::default(),
            refused_tokens: Family::default(),
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

    /// Counts a verification of a key.
    pub fn count_verification(&self, code: KeyCode) {
        self.verifications.get_or_create(&CodeLabels { code: code.as_str() }).inc();
    }

    /// Counts a request that a gateway asked about; `refused` is the code of the problem, if it must not pass.
    pub fn count_forward_auth(&self, refused: Option<ProblemCode>) {
        let code = refused.map_or("ok", ProblemCode::as_str);
        self.forward_auth.get_or_create(&CodeLabels { code }).inc();
    }

    /// Counts a token request that was refused.
    pub fn count_refused_token(&self, reason: Reason) {
        self.refused_tokens.get_or_create(&ReasonLabels { reason: reason.as_str() }).inc();
    }

    /// Everything, with what the services count themselves.
    pub fn render(&self, services: &Services) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("sealwright");
        registry.register("http_requests", "Requests with a response", self.requests.clone());
        registry.register("key_verifications", "Verifications of API keys, by code", self.verifications.clone());
        let help = "Requests that gateways asked about, by code: ok, or that of the problem";
        registry.register("forward_auth", help, self.forward_auth.clone());
        let help = "Refused token requests, by the reason of their audit events";
        registry.register("token_refusals", help, self.refused_tokens.clone());
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
        register_lag(&mut registry, services);
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

/// Figures about the loops that follow the audit log, of all processes.
fn register_lag(registry: &mut Registry, services: &Services) {
    let Some(lag) = services.insight.lag() else { return };
    let now = services.recorder.now();
    for (name, help, since) in [
        ("audit_positions_lag", "Age of the oldest audit event without a position", lag.unpositioned_since),
        ("audit_seals_lag", "Age of the oldest audit event that is not sealed", lag.unsealed_since),
    ] {
        let millis = since.map_or(0, |since| now.millis().saturating_sub(since.millis()));
        let age = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        registry.register_with_unit(name, help, Unit::Seconds, ConstGauge::new(age.as_secs_f64()));
    }
    let help = "Audit events that are not in the index for lists; it is made of 4096 at a time";
    registry.register("audit_unindexed", help, ConstGauge::new(lag.unindexed));
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
