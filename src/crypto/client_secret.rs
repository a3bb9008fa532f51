//! Client secrets: `sws_`, 43 random base-62 characters (256 bits), and a tag of 21 characters. The installation's tag
//! key binds the tag to one secret of one client.
//!
//! At the price of an HMAC, the tag rejects what was never a live secret of the client: guesses, secrets of other
//! clients, secrets that were replaced. Argon2 only runs for secrets that Sealwright created and that are live. The tag
//! replaces nothing of Argon2: whoever can read the table cannot create a tag without the key.

use zeroize::Zeroizing;

use super::digest::{DigestKey, equal};
use super::{CryptoError, random};
use crate::domain::credential::RawClientSecret;
use crate::domain::ids::{ClientId, SecretId};

const PREFIX: &str = "sws_";
const RANDOM_LENGTH: usize = 43;
const TAG_LENGTH: usize = 21;
const LENGTH: usize = PREFIX.len() + RANDOM_LENGTH + TAG_LENGTH;

/// Creates secrets with tags, and recognises them.
#[derive(Debug)]
pub struct SecretTagger {
    tag_key: DigestKey,
}

impl SecretTagger {
    /// Creates a tagger with the installation's tag key.
    pub fn new(tag_key: &[u8; 32]) -> Self {
        Self { tag_key: DigestKey::new(tag_key) }
    }

    /// Creates the secret `secret_id` of `client`.
    ///
    /// # Errors
    /// The operating system provides no randomness.
    pub fn create(&self, client: &ClientId, secret_id: &SecretId) -> Result<RawClientSecret, CryptoError> {
        let random = random::base62(RANDOM_LENGTH)?;
        let tag = self.tag(client.as_str(), secret_id.as_str(), &random);
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        text.push_str(&random);
        text.push_str(&tag);
        Ok(RawClientSecret::new(text))
    }

    /// Returns `true` if `secret` has the tag of the secret `secret_id` of `client`. Takes the same time in either
    /// case.
    pub fn recognises(&self, client: &str, secret_id: &str, secret: &str) -> bool {
        let well_formed = secret.len() == LENGTH && secret.is_ascii() && secret.starts_with(PREFIX);
        let candidate = if well_formed { secret } else { DUMMY };
        let (random, tag) = candidate[PREFIX.len()..].split_at(RANDOM_LENGTH);
        let expected = self.tag(client, secret_id, random);
        equal(expected.as_bytes(), tag.as_bytes()) && well_formed
    }

    fn tag(&self, client: &str, secret_id: &str, random: &str) -> String {
        let digest = self.tag_key.digest(&[client.as_bytes(), secret_id.as_bytes(), random.as_bytes()]);
        random::as_base62(&digest[..TAG_LENGTH])
    }
}

/// Replaces a text that does not have the form of a secret, so that refusing it takes the same time.
const DUMMY: &str = "sws_0000000000000000000000000000000000000000000000000000000000000000";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_secret_is_recognised_by_its_own_id_only() {
        let now = Timestamp::from_millis(1);
        let tagger = SecretTagger::new(&[1; 32]);
        let (client, other): (ClientId, ClientId) = (random::id(now).unwrap(), random::id(now).unwrap());
        let (id, next): (SecretId, SecretId) = (random::id(now).unwrap(), random::id(now).unwrap());
        let secret = tagger.create(&client, &id).unwrap();
        assert_eq!(secret.expose().len(), LENGTH);
        assert!(secret.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert!(tagger.recognises(client.as_str(), id.as_str(), secret.expose()));
        assert!(!tagger.recognises(client.as_str(), next.as_str(), secret.expose()), "a replaced secret");
        assert!(!tagger.recognises(other.as_str(), id.as_str(), secret.expose()), "another client's secret");
        assert!(
            !SecretTagger::new(&[2; 32]).recognises(client.as_str(), id.as_str(), secret.expose()),
            "another installation"
        );
        for odd in ["", "sws_", DUMMY, &"é".repeat(34), &secret.expose()[1..], &format!("{}0", secret.expose())] {
            assert!(!tagger.recognises(client.as_str(), id.as_str(), odd), "{odd}");
        }
        assert_eq!(DUMMY.len(), LENGTH);
    }

    #[test]
    fn a_secret_is_blank_in_debug_output() {
        let now = Timestamp::from_millis(1);
        let secret = SecretTagger::new(&[1; 32]).create(&random::id(now).unwrap(), &random::id(now).unwrap()).unwrap();
        assert_eq!(format!("{secret:?}"), "RawClientSecret");
    }
}
