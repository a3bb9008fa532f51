//! What made a credential a caller.

use std::net::IpAddr;

use crate::domain::change::Basis;
use crate::domain::token::SignedToken;

/// What made a credential a caller. It is read again in the transaction of a change.
#[derive(Clone, Debug)]
pub struct Authority {
    /// What it proved itself with.
    pub proof: Proof,
    /// The address that it calls from, if known.
    pub address: Option<IpAddr>,
    /// The permission that the call requires.
    pub permission: &'static str,
    /// What the decision about it is based on.
    pub basis: Basis,
}

/// What a caller proved itself with.
#[derive(Clone)]
pub enum Proof {
    /// The value of an API key, by its SHA-256.
    Value([u8; 32]),
    /// A token.
    Token(Box<SignedToken>),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::Token(_) => "Token",
        })
    }
}
