//! The table of decisions that every implementation is tested against.

const TABLE: &str = include_str!("../vectors.tsv");

/// A test vector: whether one scope covers another.
///
/// ```
/// use sealwright_scope::vectors;
///
/// let mut vectors = vectors();
/// let vector = vectors.find(|vector| vector.granted == "read" && vector.required == "orders:read").unwrap();
/// assert!(vector.covers);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    /// The scope that is granted.
    pub granted: &'static str,
    /// The scope that is required.
    pub required: &'static str,
    /// Whether `granted` covers `required`.
    pub covers: bool,
}

/// Reads the test vectors of `vectors.tsv`, for tests of an implementation.
///
/// ```
/// use sealwright_scope::{covers, vectors};
///
/// for vector in vectors() {
///     assert_eq!(covers(vector.granted, vector.required), vector.covers, "{vector:?}");
/// }
/// ```
pub fn vectors() -> impl Iterator<Item = Vector> {
    TABLE.lines().filter_map(|line| {
        let (granted, rest) = line.split_once('\t')?;
        let (required, covers) = rest.split_once('\t')?;
        Some(Vector { granted, required, covers: covers == "yes" })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{covers, is_scope};

    #[test]
    fn coverage_follows_the_vectors() {
        for Vector { granted, required, covers: expected } in vectors() {
            assert_eq!(covers(granted, required), expected, "{granted} covers {required}");
        }
    }

    #[test]
    fn the_table_is_well_formed() {
        let mut pairs = BTreeSet::new();
        for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [granted, required, "yes" | "no"] = fields[..] else { panic!("{line:?}") };
            assert!(is_scope(granted) && is_scope(required), "{line:?}");
            assert!(pairs.insert((granted, required)), "a second time: {line:?}");
        }
        assert_eq!(pairs.len(), vectors().count());
    }
}
