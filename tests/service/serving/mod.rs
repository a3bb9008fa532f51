//! How HTTP is served: stopping, bounds on size, time and number, proxies, request ids, the log, health and metrics.

mod bounds;
mod observing;
mod proxies;
mod stop;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::durability::{jti_of, try_token};
use crate::support::programs;
use crate::support::raw::{Connection, RawResponse};
use crate::support::{Database, Kind, Server, TestClient, both, eventually, free_port, holds_within, pause, run};

fn start(settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("SIGNING_ALGORITHMS", "[\"ES256\"]")];
    all.extend(settings);
    Server::spawn_with(Database::new(Kind::Sqlite), &all)
}

fn address(server: &Server) -> SocketAddr {
    server.url.split_once("://").unwrap().1.parse().unwrap()
}

fn connect(server: &Server) -> Connection {
    Connection::to(address(server))
}

/// One request on a connection of its own.
fn ask(server: &Server, request: &str) -> RawResponse {
    let mut connection = connect(server);
    assert!(connection.send(request));
    connection.response().unwrap_or_else(|| panic!("no answer to {request}"))
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
