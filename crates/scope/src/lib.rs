#![doc = include_str!("../README.md")]

mod cover;
mod grammar;
mod vectors;

pub use cover::{
    ADMIN, LEVELS, MANAGEMENT_ADMIN, MANAGEMENT_PREFIX, covers, is_level, is_management, resource_and_action,
    wildcard_resource,
};
pub use grammar::{InvalidScope, MAX_LENGTH, check, is_scope};
pub use vectors::{Vector, vectors};
