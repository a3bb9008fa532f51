#!/usr/bin/env python3
"""A backend that calls a protected API with a token from Sealwright.

    SEALWRIGHT_ISSUER         the issuer, such as https://auth.example.com
    SEALWRIGHT_CLIENT_ID      the client
    SEALWRIGHT_CLIENT_SECRET  its secret
    API_URL                   the API to call, such as https://api.example.com/orders

    python client.py [--calls N]

`ClientCredentials` is the part to reuse: it gets a token once and shares it
between all calls and threads until shortly before it expires.
"""

import argparse
import email.utils
import json
import os
import random
import sys
import threading
import time
from urllib.parse import quote_plus

import requests
from requests.auth import AuthBase, HTTPBasicAuth

TIMEOUT = (5, 30)  # seconds to connect, and to wait for a response
ATTEMPTS = 5
LONGEST_WAIT = 60  # seconds; a longer Retry-After is not waited for


def send(session, method, url, **options):
    """Send a request; retry after 429, 503 and network failures.

    Only for requests that may be repeated. A token request is one: a lost
    response leaves at most an unused token behind.
    """
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1
        # Exponential backoff. The random part keeps clients that failed
        # together from retrying together.
        wait = random.uniform(0.5, 1.0) * 0.5 * 2**attempt
        try:
            response = session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **options)
        except (requests.ConnectionError, requests.Timeout):
            if last:
                raise
        else:
            wait += retry_after(response)
            if response.status_code not in (429, 503) or last or wait > LONGEST_WAIT:
                return response
            response.close()
        time.sleep(wait)


def retry_after(response):
    """The seconds that a Retry-After field asks for (RFC 9110 section 10.2.3), or 0."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return int(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0


class TokenError(Exception):
    """The issuer gave no token."""


class ClientCredentials(AuthBase):
    """The client credentials grant (RFC 6749 section 4.4), as authentication for requests.

    Use it as `session.get(url, auth=credentials)`.
    """

    def __init__(self, issuer, client_id, client_secret, session):
        self.issuer = issuer
        # RFC 6749 section 2.3.1: id and secret are form-urlencoded before Basic joins them.
        self.basic = HTTPBasicAuth(quote_plus(client_id), quote_plus(client_secret))
        self.session = session
        self.lock = threading.Lock()
        self.token_endpoint = None
        self.token = None
        self.renew_at = 0.0
        self.token_requests = 0

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.get()}"
        return request

    def get(self):
        """The current token, or a new one when the current one is about to expire."""
        with self.lock:  # concurrent threads wait for one request
            if time.monotonic() >= self.renew_at:
                self.fetch()
            return self.token

    def forget(self, refused):
        """Drop a refused token, unless another thread has replaced it already."""
        with self.lock:
            if refused == f"Bearer {self.token}":
                self.renew_at = 0.0

    def fetch(self):
        self.token_endpoint = self.token_endpoint or self.discover()
        asked_at = time.monotonic()
        self.token_requests += 1
        response = self.ask(
            "POST",
            self.token_endpoint,
            auth=self.basic,
            data={"grant_type": "client_credentials"},
        )
        # A token of an unknown type must not be used (RFC 6749 section 7.1).
        if "access_token" not in response or str(response.get("token_type")).lower() != "bearer":
            raise TokenError(f"{self.token_endpoint} answered without a bearer token")
        self.token = response["access_token"]
        # Renew a minute early, so that no token expires on its way to the API. A
        # token with a short lifetime is renewed after nine tenths of it.
        lifetime = response.get("expires_in", 0)
        self.renew_at = asked_at + lifetime - min(60, lifetime / 10)

    def discover(self):
        """The token endpoint, from the metadata of the issuer (RFC 8414)."""
        url = f"{self.issuer.rstrip('/')}/.well-known/oauth-authorization-server"
        metadata = self.ask("GET", url)
        if metadata.get("issuer") != self.issuer:  # RFC 8414 section 3.3
            raise TokenError(f"{url} speaks for {metadata.get('issuer')!r}, not for {self.issuer!r}")
        return metadata["token_endpoint"]

    def ask(self, method, url, **options):
        """The JSON of a successful response of the issuer; every failure is a TokenError."""
        try:
            response = send(self.session, method, url, **options)
        except requests.RequestException as error:
            raise TokenError(f"{url}: {error}") from error
        body = json_object(response)
        if response.status_code != 200:
            # RFC 6749 section 5.2
            reasons = [body.get("error"), body.get("error_description")]
            raise TokenError(" ".join(map(str, filter(None, [url, "answered", response.status_code, *reasons]))))
        return body


def json_object(response):
    """The JSON object of a response, or an empty one."""
    try:
        value = response.json()
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def call(session, url, credentials):
    """GET the API. A token may be revoked before it expires, so a refused one is replaced, once."""
    response = send(session, "GET", url, auth=credentials)
    if response.status_code == 401:
        credentials.forget(response.request.headers["Authorization"])
        response = send(session, "GET", url, auth=credentials)
    return response


def main():
    parser = argparse.ArgumentParser(description="Call a protected API with a token from Sealwright.")
    parser.add_argument("--calls", type=int, default=2, metavar="N", help="how many calls to make (2)")
    arguments = parser.parse_args()

    names = ("SEALWRIGHT_ISSUER", "SEALWRIGHT_CLIENT_ID", "SEALWRIGHT_CLIENT_SECRET", "API_URL")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        parser.error(f"set {', '.join(missing)} in the environment")
    issuer, client_id, client_secret, api_url = (os.environ[name] for name in names)

    failed = False
    with requests.Session() as session:
        credentials = ClientCredentials(issuer, client_id, client_secret, session)
        for number in range(1, arguments.calls + 1):
            try:
                response = call(session, api_url, credentials)
            except (TokenError, requests.RequestException) as error:
                print(f"client.py: {error}", file=sys.stderr)
                return 1
            line = {
                "call": number,
                "status": response.status_code,
                "token_requests": credentials.token_requests,
                "body": json_object(response),
            }
            print(json.dumps(line), flush=True)
            if not 200 <= response.status_code < 300:
                failed = True
                print(f"client.py: {response.headers.get('WWW-Authenticate', response.reason)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
