//! Sizes in bytes, as settings have them.

use std::fmt;
use std::str::FromStr;

/// The units of sizes, the largest first.
const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A size, written as an integer and one of `B`, `KiB`, `MiB`, `GiB`, `TiB`: `256MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// Creates a size of `bytes`.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns the size in bytes.
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.into_iter().find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        let (unit, bytes) = whole.unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be an integer and B, KiB, MiB, GiB or TiB, such as 256MiB";
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(WRONG)?);
        let (_, bytes) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(WRONG)?;
        if digits.is_empty() {
            return Err(WRONG);
        }
        digits.parse().ok().and_then(|count: u64| count.checked_mul(bytes)).map(Self).ok_or("is too large")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print_alike() {
        for (text, bytes) in [("0B", 0), ("1000B", 1_000), ("3KiB", 3_072), ("256MiB", 1 << 28), ("2TiB", 1 << 41)] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.as_bytes(), size.to_string()), (bytes, text.to_owned()));
        }
        assert_eq!("1024MiB".parse::<Size>().unwrap().to_string(), "1GiB");
        for text in ["", "1", "MiB", "1 MiB", "1MB", "1mib", "-1B", "1.5GiB", "99999999999999999999B", "99999999TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
