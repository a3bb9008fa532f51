//! HTTP/1.1 by hand, for what no well-behaved client sends: half a request, a slow one, one that is too large; and for
//! servers that answer as a test wants them to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One connection, which this end closes when it is dropped.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response as it came.
#[derive(Clone, Debug)]
pub struct RawResponse {
    /// Status.
    pub status: u16,
    /// The head in lower case, with its status line.
    pub head: String,
    /// The body.
    pub body: String,
}

impl RawResponse {
    /// A header field's value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_default()
    }
}

impl Connection {
    /// Connects; reading gives up after ten seconds.
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Sends bytes; `false` where the other side has closed.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// How long to wait for a response.
    pub fn patience(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).unwrap();
    }

    /// Reads one response, by its `Content-Length`; `None` where none comes.
    pub fn response(&mut self) -> Option<RawResponse> {
        self.read_response(true)
    }

    /// Reads the response to a HEAD request: there is no body, whatever its length says.
    pub fn response_to_head(&mut self) -> Option<RawResponse> {
        self.read_response(false)
    }

    fn read_response(&mut self, has_body: bool) -> Option<RawResponse> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut response = RawResponse { status, head, body: String::new() };
        let length: usize = if has_body { response.header("content-length").parse().unwrap_or(0) } else { 0 };
        while self.buffer.len() < end + length {
            self.fill()?;
        }
        response.body = String::from_utf8_lossy(&self.buffer[end..end + length]).into_owned();
        self.buffer.drain(..end + length);
        Some(response)
    }

    /// Whether the other side closes within the patience, whatever it sends before.
    pub fn is_closed(&mut self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }

    fn fill(&mut self) -> Option<()> {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(read) if read > 0 => self.buffer.extend_from_slice(&bytes[..read]),
            _ => return None,
        }
        Some(())
    }
}

/// The head of a request; none where the connection ends before.
pub fn read_head(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}

/// Answers with a status line and fields, and a body, and says that no more will come.
pub fn response(connection: &mut TcpStream, head: &str, body: &str) {
    let length = body.len();
    write!(connection, "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
}
