//! The service as its users see it: the real binary, real databases, real HTTP. Folders mirror the URLs.

mod command_line;
mod database;
mod durability;
mod key_rotation;
mod serving;
mod support;
mod tls;
