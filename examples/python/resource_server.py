#!/usr/bin/env python3
"""An API that verifies Sealwright's tokens offline. A caller that is tied to customers sees only their orders.

    SEALWRIGHT_ISSUER  the issuer whose tokens are accepted
    AUDIENCE           the name of this API, which a token must have as `aud`
    HOST, PORT         where to listen: 127.0.0.1 and 8000 unless set; 0 is any free port

    python resource_server.py

`requires(scope)` and `serves(customer)` are the parts to reuse.
"""

import functools
import os
import sys

import jwt
import requests
from flask import Flask, g, jsonify, request
from jwt.exceptions import PyJWKClientConnectionError, PyJWKSetError
from werkzeug.serving import make_server

try:
    ISSUER, AUDIENCE = os.environ["SEALWRIGHT_ISSUER"], os.environ["AUDIENCE"]
except KeyError as missing:
    sys.exit(f"resource_server.py: set {missing.args[0]} in the environment")

# Set here, never taken from the token: an attacker chooses what the token says.
ALGORITHMS = ["ES256", "RS256", "EdDSA"]

app = Flask(__name__)


class KeysUnavailable(Exception):
    """The issuer's keys cannot be fetched, so no token can be verified."""


@functools.cache  # caches a result, never an exception
def signing_keys():
    """The issuer's public keys, which the client fetches when needed and keeps for five minutes."""
    url = f"{ISSUER.rstrip('/')}/.well-known/oauth-authorization-server"
    try:
        response = requests.get(url, timeout=10)
        response.raise_for_status()
        metadata = response.json()
        if metadata["issuer"] != ISSUER:  # RFC 8414 section 3.3
            raise KeysUnavailable(f"{url} speaks for {metadata['issuer']!r}, not for {ISSUER!r}")
        return jwt.PyJWKClient(metadata["jwks_uri"], lifespan=300, timeout=10)
    except (requests.RequestException, ValueError, TypeError, KeyError) as error:
        raise KeysUnavailable(f"{url}: {error}") from error


def verify(token):
    """The claims of an access token (RFC 9068 section 4), or a jwt.PyJWTError."""
    try:
        key = signing_keys().get_signing_key_from_jwt(token)
    except (PyJWKClientConnectionError, PyJWKSetError, ValueError) as error:
        raise KeysUnavailable(str(error)) from error
    decoded = jwt.decode_complete(
        token,
        key,
        algorithms=ALGORITHMS,
        issuer=ISSUER,
        audience=AUDIENCE,
        # A clock that is a second behind must not refuse a token that seems to be
        # issued in the future; `exp` limits it.
        options={
            "require": ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"],
            "verify_iat": False,
        },
    )
    # Other JWTs of the same issuer are not access tokens.
    if str(decoded["header"].get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
        raise jwt.InvalidTokenError("the token is not an access token")
    claims = decoded["payload"]
    # A token without the claim may be used for every customer: one that cannot be read must not pass for it.
    tied = claims.get("customers", ["any"])
    if not isinstance(tied, list) or not tied or not all(isinstance(customer, str) for customer in tied):
        raise jwt.InvalidTokenError("the claim customers is not a list of external ids")
    return claims


def serves(customer):
    """Whether the caller may see a customer's data. A token without the claim may be used for every customer."""
    return "customers" not in g.claims or customer in g.claims["customers"]


def covers(granted, required):
    """Whether a granted scope covers a required one, by Sealwright's rules.

    A level (`read`, `write`, `delete`) covers that action on every resource,
    `orders:*` every action on orders, and `admin` everything.
    """
    resource, _, action = required.partition(":")
    return granted in (required, "admin") or (action != "" and granted in (action, f"{resource}:*"))


def requires(scope):
    """Let a view be called only with a token that has a scope. The claims are then in g.claims."""

    def decorate(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not token:
                return refuse(401)
            try:
                claims = verify(token.strip())
            except jwt.PyJWTError as error:
                app.logger.warning("token refused: %r", error)  # %r escapes text of the sender
                return refuse(401, "invalid_token", "The access token is expired, malformed or not meant for this API")
            if not any(covers(granted, scope) for granted in str(claims.get("scope", "")).split(" ")):
                return refuse(403, "insufficient_scope", "The access token lacks a scope", scope=scope)
            g.claims = claims
            return view(*args, **kwargs)

        return guarded

    return decorate


def refuse(status, error=None, description=None, **attributes):
    """A response of RFC 6750 section 3. For a request without a token it has no error code (3.1)."""
    body = {}
    if error:
        body = {"error": error, "error_description": description}
    challenge = {"realm": "orders", **body, **attributes}
    response = jsonify(body or {"error_description": "An access token is required"})
    response.status_code = status
    parameters = ", ".join(f'{name}="{value}"' for name, value in challenge.items())
    response.headers["WWW-Authenticate"] = f"Bearer {parameters}"
    return response


@app.errorhandler(KeysUnavailable)
def keys_unavailable(error):
    # The token may be valid: the caller should keep it and try again.
    app.logger.error("no keys: %s", error)
    response = jsonify(error_description="Tokens cannot be verified at the moment")
    response.status_code = 503
    response.headers["Retry-After"] = "5"
    return response


# `customer` is the external id by which Sealwright knows the tenant.
ORDERS = [
    {"id": 1, "customer": "acme", "item": "sealing wax"},
    {"id": 2, "customer": "globex", "item": "ribbon"},
]


@app.get("/orders")
@requires("orders:read")
def orders():
    """The orders that the caller may see or, with `?customer=`, those of one customer."""
    visible = [order for order in ORDERS if serves(order["customer"])]
    wanted = request.args.get("customer")
    if wanted is not None:
        if not serves(wanted):
            return jsonify(error="access_denied", error_description="The credential is tied to other customers"), 403
        visible = [order for order in visible if order["customer"] == wanted]
    return jsonify(orders=visible, client_id=g.claims["client_id"])


@app.get("/orders/<int:number>")
@requires("orders:read")
def order(number):
    """One order. An order of a customer that the caller does not serve does not exist for it."""
    for found in ORDERS:
        if found["id"] == number and serves(found["customer"]):
            return jsonify(found)
    return jsonify(error_description="There is no such order"), 404


def main():
    host = os.environ.get("HOST", "127.0.0.1")
    server = make_server(host, int(os.environ.get("PORT", "8000")), app, threaded=True)
    print(f"listening on http://{host}:{server.port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
