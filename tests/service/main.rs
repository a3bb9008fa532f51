//! The service as its users see it: the real binary, real databases, real HTTP. Folders mirror the URLs.

// A test fails by panicking, and so do its helpers; its tables come before the style of the product.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::pedantic)]

mod api;
mod audit_lines;
mod command_line;
mod database;
mod durability;
mod examples;
mod floods;
mod gateways;
mod generated_clients;
mod guides;
mod in_flight;
mod interop;
mod key_rotation;
mod oauth;
mod openapi;
mod overtaken;
mod quickstart;
mod scale;
mod secrets;
mod serving;
mod support;
mod tls;
mod verifiers;
