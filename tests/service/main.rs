//! The service as its users see it: the real binary, real databases, real HTTP. Folders mirror the URLs.

mod command_line;
mod examples;
mod interop;
mod quickstart;
mod support;
