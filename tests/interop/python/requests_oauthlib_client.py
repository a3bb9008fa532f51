#!/usr/bin/env python3
"""requests-oauthlib as a client of Sealwright, PyJWT as its resource server.

Everything on the wire is made and read by these libraries; this script only
says what is to be done and compares what came of it.

Settings, all from the environment:
  ISSUER         the issuer, exactly as its metadata spell it
  CLIENT_ID      a client of that issuer
  CLIENT_SECRET  its secret
  ALGORITHM      ES256, RS256 or EdDSA: what this client's tokens are signed with
  AUDIENCE       the audience that the client gets when it names none
  SCOPE          scopes that the client may ask for, separated by spaces
  TYP            the typ of its tokens; at+jwt unless set

Prints one line a check. Exit status: 0, or 1 at the first check that fails,
or 2 when a setting is missing.
"""

import os
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import jwt
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

try:
    ISSUER, CLIENT_ID, CLIENT_SECRET, ALGORITHM, AUDIENCE, SCOPE = (
        os.environ[name]
        for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "ALGORITHM", "AUDIENCE", "SCOPE")
    )
except KeyError as missing:
    print(f"requests-oauthlib: the environment variable {missing.args[0]} is not set", file=sys.stderr)
    sys.exit(2)

TIMEOUT = 10

# oauthlib refuses plain HTTP, on loopback too, unless told otherwise.
if urlsplit(ISSUER).hostname in ("127.0.0.1", "::1", "localhost"):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


@contextmanager
def check(name):
    """Print one line for a check; whatever goes wrong within it ends the run."""
    try:
        yield
    except Exception as error:
        print(f"requests-oauthlib: FAIL {name}: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"requests-oauthlib: ok {name}", flush=True)


def expect(condition, message):
    if not condition:
        raise ValueError(message)


def get_json(url):
    response = OAuth2Session(CLIENT_ID).get(url, timeout=TIMEOUT)
    response.raise_for_status()
    return response.json()


def fetch_token(**how):
    """A token, and the JSON of the response before oauthlib turned strings into numbers."""
    wire = {}

    def remember(response):
        wire.update(response.json())
        return response

    session = OAuth2Session(client=BackendApplicationClient(CLIENT_ID, scope=SCOPE.split(" ")))
    session.register_compliance_hook("access_token_response", remember)
    token = session.fetch_token(metadata["token_endpoint"], timeout=TIMEOUT, **how)
    return token, wire


def form_encode(text):
    """RFC 6749 appendix B. As the most thorough clients do, every character that
    is no letter or digit is escaped, so that even `_` arrives as `%5F`."""
    return "".join(
        char if char.isascii() and char.isalnum() else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in text
    )


def verify(token, wire):
    """What a careful resource server asks of a response and its token (RFC 6749 5.1, RFC 9068 4)."""
    expect(token["token_type"].lower() == "bearer", f"token_type is {token['token_type']!r}")
    expect(type(wire.get("expires_in")) is int, f"expires_in is no JSON number: {wire.get('expires_in')!r}")
    expect(set(wire.get("scope", "").split(" ")) == set(SCOPE.split(" ")), f"scope is {wire.get('scope')!r}")
    expect("refresh_token" not in wire, "there is a refresh_token (RFC 6749 section 4.4.3)")

    access_token = token["access_token"]
    decoded = jwt.decode_complete(
        access_token,
        keys.get_signing_key_from_jwt(access_token),
        algorithms=[ALGORITHM],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["iss", "aud", "sub", "client_id", "exp", "iat", "jti", "scope"]},
    )
    header, claims = decoded["header"], decoded["payload"]
    expect(header["typ"] == os.environ.get("TYP", "at+jwt"), f"typ is {header['typ']!r}")
    for claim, wanted in (("sub", CLIENT_ID), ("client_id", CLIENT_ID), ("scope", wire["scope"])):
        expect(claims[claim] == wanted, f"{claim} is {claims[claim]!r}, not {wanted!r}")
    remaining = claims["exp"] - time.time()
    expect(
        abs(remaining - wire["expires_in"]) <= 5,
        f"expires_in says {wire['expires_in']} s, exp says {remaining:.0f} s",
    )


# Neither library knows discovery, so the two addresses are spelled out here.
parts = urlsplit(ISSUER)
path = parts.path.rstrip("/")

with check("RFC 8414 metadata, well-known part between host and path"):
    inserted = parts._replace(path=f"/.well-known/oauth-authorization-server{path}").geturl()
    metadata = get_json(inserted)
    expect(metadata["issuer"] == ISSUER, f"issuer is {metadata['issuer']!r}, not {ISSUER!r}")

with check("OpenID spelling of the metadata, the same document"):
    appended = parts._replace(path=f"{path}/.well-known/openid-configuration").geturl()
    expect(get_json(appended) == metadata, "the two documents differ")

with check("jwks_uri, a set of signing keys"):
    keys = jwt.PyJWKClient(metadata["jwks_uri"], timeout=TIMEOUT)
    keys.get_signing_keys()

with check(f"client_secret_basic, id and secret as they are: an {ALGORITHM} token that verifies"):
    verify(*fetch_token(client_secret=CLIENT_SECRET))

with check("client_secret_basic, id and secret form-urlencoded: a token that verifies"):
    verify(*fetch_token(auth=HTTPBasicAuth(form_encode(CLIENT_ID), form_encode(CLIENT_SECRET))))

with check("client_secret_basic, the same client_id in the body too: a token that verifies"):
    verify(*fetch_token(auth=HTTPBasicAuth(CLIENT_ID, CLIENT_SECRET), include_client_id=True))

with check("client_secret_post: a token that verifies"):
    verify(*fetch_token(client_secret=CLIENT_SECRET, include_client_id=True))

with check("audience asked for by name (RFC 8707): a token that verifies"):
    parameter = "resource" if "://" in AUDIENCE else "audience"
    verify(*fetch_token(client_secret=CLIENT_SECRET, **{parameter: AUDIENCE}))

for method, in_body in (("client_secret_basic", False), ("client_secret_post", True)):
    with check(f"{method}, wrong secret: invalid_client"):
        try:
            fetch_token(client_secret="wrong", include_client_id=in_body)
        except InvalidClientError:
            pass
        else:
            raise ValueError("a token was issued")
