//! Heads that actix-http refuses before there is a request. The middleware never sees them, and the library has no hook
//! for them: what it logs is all that can be known.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// The part of actix-http that reads and writes connections.
const DISPATCHER: &str = "actix_http::h1::dispatcher";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Labels {
    reason: &'static str,
}

/// Counts these heads; clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct UnreadHeads(Family<Labels, Counter>);

impl UnreadHeads {
    /// Takes notice of a line that is to be logged. Returns whether it reports what a peer did wrong: everyone can make
    /// the library log such lines, so they are no errors of this service.
    pub fn notice(&self, line: &log::Record<'_>) -> bool {
        if line.target() != DISPATCHER {
            return false;
        }
        let text = line.args().to_string();
        let Some(error) = text.strip_prefix("stream error: ") else { return false };
        match error.strip_prefix("request parse error: ") {
            Some(broken) if broken.starts_with("I/O error") => {}
            Some("message head is too large") => self.count("too_large"),
            Some(_) => self.count("malformed"),
            // The connection broke or was closed in the middle of something.
            None => return error.starts_with("I/O error") || error == "connection shutdown timeout",
        }
        true
    }

    fn count(&self, reason: &'static str) {
        self.0.get_or_create(&Labels { reason }).inc();
    }

    /// Returns the counts for the metrics.
    pub fn counts(&self) -> Family<Labels, Counter> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_peers_do_wrong_is_told_apart_from_faults() {
        let heads = UnreadHeads::default();
        for (target, text, is_a_peers) in [
            (DISPATCHER, "stream error: request parse error: invalid Header provided", true),
            (DISPATCHER, "stream error: request parse error: message head is too large", true),
            (DISPATCHER, "stream error: request parse error: I/O error: Connection reset by peer", true),
            (DISPATCHER, "stream error: I/O error: Broken pipe", true),
            (DISPATCHER, "stream error: internal error", false),
            (DISPATCHER, "Response payload stream error: x", false),
            ("sealwright", "stream error: request parse error: invalid Header provided", false),
        ] {
            let args = format_args!("{text}");
            let line = log::Record::builder().target(target).args(args).build();
            assert_eq!(heads.notice(&line), is_a_peers, "{target}: {text}");
        }
        for (reason, count) in [("malformed", 1), ("too_large", 1)] {
            assert_eq!(heads.0.get_or_create(&Labels { reason }).get(), count, "{reason}");
        }
    }
}
