//! Secrets in places where none belongs: texts that have the form of one are refused, and none is kept anywhere.

mod fields;
mod hunt;
mod operations;
mod planting;

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters of a secret that must not appear together anywhere.
const TELLING: usize = 12;

/// Random characters of base 62.
fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// A text in the form of an API key, with its checksum.
pub fn api_key() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let random = random(32);
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut sum = [b'0'; 6];
    for digit in sum.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!("sw_live_{random}{}", String::from_utf8_lossy(&sum))
}

/// A text in the form of a client's secret.
fn client_secret() -> String {
    format!("sws_{}", random(43))
}

/// A text in the form of a token.
fn token() -> String {
    format!("eyJ{}.eyJ{}.{}", random(20), random(40), random(43))
}

/// A query string of these pairs.
fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Secrets, and the stretches of them that tell something.
#[derive(Default)]
pub struct Planted {
    stretches: HashSet<[u8; TELLING]>,
    count: usize,
}

impl Planted {
    /// Another secret: in turn a client's, an API key, a token.
    fn next(&mut self) -> String {
        let secret = match self.count % 3 {
            0 => client_secret(),
            1 => api_key(),
            _ => token(),
        };
        self.add(&secret);
        secret
    }

    /// Adds a secret. How it begins may be shown.
    fn add(&mut self, secret: &str) {
        self.count += 1;
        // A brand and a tag, or a prefix, and the four characters that show which key it is.
        let from = secret.find("_live_").map_or(4, |at| at + 10);
        for part in secret.get(from..).unwrap_or_default().split('.') {
            self.stretches
                .extend(part.as_bytes().windows(TELLING).map(|part| <[u8; TELLING]>::try_from(part).unwrap()));
        }
    }

    /// Adds the value of a field `Authorization` by Basic, whose parts are secret.
    fn basic(&mut self, id: &str, secret: &str) -> String {
        let encoded = STANDARD.encode(format!("{id}:{secret}"));
        self.add(&format!("....{}", &encoded[encoded.len().saturating_sub(24)..]));
        format!("Basic {encoded}")
    }

    /// Asserts that nothing telling is in `bytes`.
    #[track_caller]
    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        let mut run = 0;
        for (at, byte) in bytes.iter().enumerate() {
            run = if byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte) { run + 1 } else { 0 };
            if run >= TELLING && self.stretches.contains(&bytes[at + 1 - TELLING..=at]) {
                let around = String::from_utf8_lossy(&bytes[at.saturating_sub(300)..(at + 60).min(bytes.len())]);
                panic!("{place} has a part of a secret: {around}");
            }
        }
    }
}

#[test]
fn a_hunt_finds_what_is_there() {
    let mut planted = Planted::default();
    let secrets: Vec<String> = (0..30).map(|_| planted.next()).collect();
    for secret in &secrets {
        let part = &secret[secret.len() - 14..];
        let found =
            std::panic::catch_unwind(|| planted.assert_absent("a text", format!("in a {part}, too").as_bytes()));
        assert!(found.is_err(), "{secret}");
        planted.assert_absent("a prefix", &secret.as_bytes()[..10]);
    }
}
