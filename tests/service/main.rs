//! The service as its users see it: the real binary, real databases, real HTTP. Folders mirror the URLs.

mod api;
mod command_line;
mod support;
