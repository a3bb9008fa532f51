#!/usr/bin/env python3
"""An API of several tenants behind a gateway, which trusts the identity that the gateway sends.

    HOST, PORT  where to listen: 127.0.0.1 and 9000 unless set; 0 is any free port

    python3 orders.py

`GET /orders` lists the orders of the customers that the caller is tied to, `GET /orders?customer=acme` those of one,
`GET /orders/1` shows one. `serves` is the part to reuse.
"""

import http.server
import json
import os
import sys
import urllib.parse

# `customer` is the external id by which Sealwright knows the tenant.
ORDERS = [
    {"id": 1, "customer": "acme", "item": "sealing wax"},
    {"id": 2, "customer": "globex", "item": "ribbon"},
]


class Refusal(Exception):
    """The status of a refused request, and what its response says."""


def identity(headers):
    """The customers that the caller is tied to; none means that it may act for all."""
    credential, customers = (headers.get_all(f"X-Auth-{name}", []) for name in ("Credential", "Customer"))
    # A request without an identity did not come through the gateway, or the gateway is misconfigured. It is not an
    # anonymous request: refuse it. So is one without the customers: it must not pass as one that acts for all.
    if len(credential) != 1 or not credential[0].strip() or len(customers) != 1:
        raise Refusal(500, "the gateway names no caller")
    return customers[0].split()


def serves(tied, customer):
    """Whether a caller that is tied to customers may see this customer's data."""
    return not tied or customer in tied


def respond(path, headers):
    tied = identity(headers)
    url = urllib.parse.urlsplit(path)
    visible = [order for order in ORDERS if serves(tied, order["customer"])]
    if url.path == "/orders":
        for customer in urllib.parse.parse_qs(url.query).get("customer", []):
            if not serves(tied, customer):
                raise Refusal(403, "the credential is tied to other customers")
            visible = [order for order in visible if order["customer"] == customer]
        return {"orders": visible}
    # An order of another customer does not exist for the caller.
    for order in visible:
        if url.path == f"/orders/{order['id']}":
            return order
    raise Refusal(404, "there is no such order")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the gateway keeps its connections open
    timeout = 60

    def do_GET(self):
        try:
            status, body = 200, respond(self.path, self.headers)
        except Refusal as refusal:
            status, description = refusal.args
            body = {"error_description": description}
        body = (json.dumps(body) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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
