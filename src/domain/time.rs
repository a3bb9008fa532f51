//! Timestamps and durations as the service stores and prints them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat};

/// A point in time, in milliseconds since the Unix epoch. Printed as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The year 10000, which RFC 3339 cannot write.
    const END: Self = Self::from_seconds(253_402_300_800);

    /// Creates the timestamp of `millis` milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Creates the timestamp of `seconds` seconds since the epoch (a JWT `NumericDate`).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Returns the milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the timestamp later by `duration`, saturating at the largest.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.millis()))
    }

    /// Returns the timestamp earlier by `duration`, saturating at the smallest.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.millis()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_millis(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "@{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.timestamp_millis()))
            .ok()
            .filter(|time| *time < Self::END)
            .ok_or("must be an RFC 3339 time such as 2026-01-31T12:00:00Z")
    }
}

/// A length of time in whole seconds, written as an integer and one of `s`, `m`, `h`, `d`: `90d`, `10m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

impl Duration {
    /// The duration of no time.
    pub const ZERO: Self = Self(0);
    /// The longest duration, about a hundred years: a longer one is taken for a mistake.
    const LONGEST: i64 = 36_525 * 86_400;

    /// Creates a duration of `seconds` seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Creates a duration of `days` days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self(days * 86_400)
    }

    /// Returns the length in seconds.
    pub const fn as_seconds(self) -> i64 {
        self.0
    }

    /// Returns the length in milliseconds.
    pub const fn millis(self) -> i64 {
        self.0.saturating_mul(1000)
    }

    /// Converts to the standard library's type; a negative length becomes zero.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::try_from(self.0).unwrap_or(0))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
            if self.0 != 0 && self.0 % seconds == 0 {
                return write!(f, "{}{unit}", self.0 / seconds);
            }
        }
        write!(f, "{}s", self.0)
    }
}

impl FromStr for Duration {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be an integer and s, m, h or d, such as 90d";
        let unit = text.chars().last().ok_or(WRONG)?;
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(WRONG),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(WRONG);
        }
        digits
            .parse::<i64>()
            .ok()
            .and_then(|count| count.checked_mul(factor))
            .filter(|seconds| *seconds <= Self::LONGEST)
            .map(Self)
            .ok_or("is longer than a hundred years")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_alike() {
        for text in ["0s", "1s", "90s", "10m", "24h", "90d", "36500d"] {
            let parsed: Duration = text.parse().unwrap();
            assert_eq!(parsed.to_string().parse::<Duration>().unwrap(), parsed, "{text}");
        }
        assert_eq!("24h".parse::<Duration>().unwrap().to_string(), "1d");
    }

    #[test]
    fn odd_durations_are_refused() {
        for text in ["", "d", "1", "1w", "-1d", "+1d", "1.5h", "1 d", "99999999999999999999d", "40000d", "ä", "1ä"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_print_as_rfc_3339_in_utc() {
        let time = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!("2023-11-14T23:13:20.123+01:00".parse::<Timestamp>().unwrap(), time);
        assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    }
}
