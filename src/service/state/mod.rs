//! State that the use cases of one process share: caches, limits, keys.

pub mod cache;
pub mod change_follower;
pub mod credential_cache;
pub mod customers;
pub mod epochs;
pub mod failed_authentications;
pub mod keyring;
pub mod last_used;
pub mod limits;
pub mod owners;
pub mod packed;
pub mod proven_secrets;
pub mod registered_scopes;
pub mod revoked_tokens;
pub mod sealer;
