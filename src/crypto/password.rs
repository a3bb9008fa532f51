//! Argon2id (RFC 9106) on a small pool of threads. Each thread reuses its 19 MiB for the next check: on a general pool,
//! sixty waiting checks would take more than a gigabyte.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::digest::equal;
use super::random;

/// Hashes and checks that may wait; further ones are refused.
const QUEUE: usize = 256;

/// Why a hash was not created or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The queue of the pool is full.
    #[error("too many password checks are waiting")]
    Busy,
    /// A stored hash is malformed, or the system provides no randomness.
    #[error("the password hash cannot be created or read")]
    Failed,
}

enum Work {
    Hash { password: Zeroizing<String>, reply: oneshot::Sender<Result<String, PasswordError>> },
    Verify { password: Zeroizing<String>, phc: String, reply: oneshot::Sender<Result<bool, PasswordError>> },
}

impl std::fmt::Debug for PasswordPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordPool")
    }
}

/// A pool of threads that hash and check passwords. The threads end when it is dropped.
#[derive(Clone)]
pub struct PasswordPool {
    work: std::sync::mpsc::SyncSender<Work>,
    checks: Arc<AtomicU64>,
}

impl PasswordPool {
    /// Starts a pool of `threads` threads, at least one.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (work, queue) = std::sync::mpsc::sync_channel::<Work>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name(format!("argon2-{number}")).spawn(move || {
                let mut memory = Vec::new();
                loop {
                    let next = queue.lock().recv();
                    let Ok(work) = next else { return };
                    work.run(&mut memory);
                }
            })?;
        }
        Ok(Self { work, checks: Arc::default() })
    }

    /// Hashes `password` with Argon2id and a new salt, and returns a PHC string.
    ///
    /// # Errors
    /// The pool is full, or the system provides no randomness.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let (reply, response) = oneshot::channel();
        self.submit(Work::Hash { password: Zeroizing::new(password.to_owned()), reply })?;
        response.await.unwrap_or(Err(PasswordError::Failed))
    }

    /// Returns `true` if `phc` is the hash of `password`.
    ///
    /// # Errors
    /// The pool is full, or `phc` is not an Argon2id hash.
    pub async fn verify(&self, password: &str, phc: &str) -> Result<bool, PasswordError> {
        let (reply, response) = oneshot::channel();
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.submit(Work::Verify { password: Zeroizing::new(password.to_owned()), phc: phc.to_owned(), reply })?;
        response.await.unwrap_or(Err(PasswordError::Failed))
    }

    /// Returns how many passwords were to be checked since the start.
    pub fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }

    fn submit(&self, work: Work) -> Result<(), PasswordError> {
        self.work.try_send(work).map_err(|_| PasswordError::Busy)
    }
}

impl Work {
    /// Runs the work. A caller that no longer waits for the response is no failure.
    fn run(self, memory: &mut Vec<Block>) {
        match self {
            Self::Hash { password, reply } => drop(reply.send(hash(&password, memory))),
            Self::Verify { password, phc, reply } => drop(reply.send(verify(&password, &phc, memory))),
        }
    }
}

fn hash(password: &str, memory: &mut Vec<Block>) -> Result<String, PasswordError> {
    let salt = random::bytes::<16>().map_err(|_| PasswordError::Failed)?;
    let params = Params::default();
    let output = derive(password, &salt, &params, Params::DEFAULT_OUTPUT_LEN, memory)?;
    let failed = |_| PasswordError::Failed;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|_| PasswordError::Failed)?,
        salt: Some(Salt::new(&salt).map_err(failed)?),
        hash: Some(Output::new(&output).map_err(failed)?),
    };
    Ok(phc.to_string())
}

fn verify(password: &str, phc: &str, memory: &mut Vec<Block>) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(phc).map_err(|_| PasswordError::Failed)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else { return Err(PasswordError::Failed) };
    if stored.algorithm != Algorithm::Argon2id.ident() {
        return Err(PasswordError::Failed);
    }
    let params = Params::try_from(&stored).map_err(|_| PasswordError::Failed)?;
    let output = derive(password, salt.as_ref(), &params, expected.len(), memory)?;
    Ok(equal(&output, expected.as_bytes()))
}

fn derive(
    password: &str,
    salt: &[u8],
    params: &Params,
    length: usize,
    memory: &mut Vec<Block>,
) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let mut output = Zeroizing::new(vec![0; length]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, &mut memory[..])
        .map_err(|_| PasswordError::Failed)?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_and_verifies_its_own_password_only() {
        let pool = PasswordPool::start(1).unwrap();
        let phc = pool.hash("correct horse").await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(pool.verify("correct horse", &phc).await.unwrap());
        assert!(!pool.verify("wrong horse", &phc).await.unwrap());
        assert!(pool.verify("x", "$argon2id$v=19$junk").await.is_err());
    }
}
