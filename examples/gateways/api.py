#!/usr/bin/env python3
"""An API behind a gateway, which trusts the identity that the gateway sends.

    HOST, PORT  where to listen: 127.0.0.1 and 9000 unless set; 0 is any free port

    python3 api.py

It responds to every request with what it received, as JSON: each header as often as it came, under the name that was
sent. `/status` is open to everyone; all other paths require a caller that the gateway names.
"""

import http.server
import json
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the gateway keeps its connections open
    timeout = 60

    def respond(self):
        body_bytes = self.read_body()
        identity = [value for name, value in self.headers.items() if name.lower() == "x-auth-credential"]
        # A request without an identity did not come through the gateway, or the gateway is misconfigured. It is not an
        # anonymous request: refuse it.
        is_allowed = self.path == "/status" or (len(identity) == 1 and identity[0] != "")
        received = {
            "method": self.command,
            "path": self.path,
            "headers": self.headers.items(),
            "body_bytes": body_bytes,
        }
        body = (json.dumps(received, indent=1) + "\n").encode()
        self.send_response(200 if is_allowed else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond

    def read_body(self):
        """Read the body and return its length in bytes."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        total = 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return total

    def log_message(self, *_):
        pass


def main():
    host = os.environ.get("HOST", "127.0.0.1")
    server = http.server.ThreadingHTTPServer((host, int(os.environ.get("PORT", "9000"))), Handler)
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
