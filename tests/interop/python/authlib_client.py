#!/usr/bin/env python3
"""Authlib as a client of Sealwright.

Everything on the wire is made and read by Authlib and its JOSE library,
joserfc; this script only says what is to be done and compares what came of it.

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

import base64
import os
import sys
import time
import warnings
from contextlib import contextmanager

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc8414 import get_well_known_url as oauth_well_known_url
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as openid_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

try:
    ISSUER, CLIENT_ID, CLIENT_SECRET, ALGORITHM, AUDIENCE, SCOPE = (
        os.environ[name]
        for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "ALGORITHM", "AUDIENCE", "SCOPE")
    )
except KeyError as missing:
    print(f"authlib: the environment variable {missing.args[0]} is not set", file=sys.stderr)
    sys.exit(2)

TYP = os.environ.get("TYP", "at+jwt")
TIMEOUT = 10

# RFC 9864 renames `EdDSA` to `Ed25519`; most verifiers know only the older name.
warnings.filterwarnings("ignore", message="EdDSA is deprecated")


@contextmanager
def check(name):
    """Print one line for a check; whatever goes wrong within it ends the run."""
    try:
        yield
    except Exception as error:
        print(f"authlib: FAIL {name}: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"authlib: ok {name}", flush=True)


def expect(condition, message):
    if not condition:
        raise ValueError(message)


def session(auth_method, secret=CLIENT_SECRET):
    return OAuth2Session(
        CLIENT_ID,
        secret,
        scope=SCOPE,
        grant_type="client_credentials",
        token_endpoint=metadata["token_endpoint"],
        token_endpoint_auth_method=auth_method,
        default_timeout=TIMEOUT,
    )


def get_json(url):
    response = OAuth2Session(default_timeout=TIMEOUT).get(url, withhold_token=True)
    response.raise_for_status()
    return response.json()


def form_encoded_basic(client, method, uri, headers, body):
    """`client_secret_basic` as RFC 6749 section 2.3.1 has it.

    Authlib's own sends id and secret as they are. This one form-urlencodes
    them first, and like the most thorough clients every character that is no
    letter or digit, so that even `_` arrives as `%5F`.
    """

    def encode(text):
        return "".join(
            char if char.isascii() and char.isalnum() else "".join(f"%{byte:02X}" for byte in char.encode())
            for char in text
        )

    pair = f"{encode(client.client_id)}:{encode(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return uri, headers, body


def verify(token):
    """What a careful resource server asks of a response and its token (RFC 6749 5.1, RFC 9068 4)."""
    expect(token["token_type"].lower() == "bearer", f"token_type is {token['token_type']!r}")
    expect(type(token.get("expires_in")) is int, f"expires_in is no JSON number: {token.get('expires_in')!r}")
    expect(set(token.get("scope", "").split(" ")) == set(SCOPE.split(" ")), f"scope is {token.get('scope')!r}")
    expect("refresh_token" not in token, "there is a refresh_token (RFC 6749 section 4.4.3)")

    decoded = jwt.decode(token["access_token"], keys, algorithms=[ALGORITHM])
    header, claims = decoded.header, decoded.claims
    expect(header["typ"] == TYP, f"typ is {header['typ']!r}")
    expect(
        header["kid"] == keys.get_by_kid(header["kid"]).thumbprint(),
        "kid is not the thumbprint of its key (RFC 7638)",
    )
    if TYP != "at+jwt":
        # RFC 9068 has no other type, nor has Authlib's class for it; the rest of its checks apply all the same.
        header = {**header, "typ": "at+jwt"}
    JWTAccessTokenClaims(
        claims,
        header,
        {
            "iss": {"essential": True, "value": ISSUER},
            "aud": {"essential": True, "value": AUDIENCE},
            "sub": {"essential": True, "value": CLIENT_ID},
            "client_id": {"essential": True, "value": CLIENT_ID},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "jti": {"essential": True},
            "scope": {"essential": True, "value": token["scope"]},
        },
    ).validate()
    remaining = claims["exp"] - time.time()
    expect(
        abs(remaining - token["expires_in"]) <= 5,
        f"expires_in says {token['expires_in']} s, exp says {remaining:.0f} s",
    )


with check("RFC 8414 metadata, well-known part between host and path"):
    metadata = get_json(oauth_well_known_url(ISSUER, external=True))
    expect(metadata["issuer"] == ISSUER, f"issuer is {metadata['issuer']!r}, not {ISSUER!r}")
    AuthorizationServerMetadata(metadata).validate()
    expect("client_credentials" in metadata["grant_types_supported"], "the grant is not advertised")
    for method in ("client_secret_basic", "client_secret_post"):
        expect(method in metadata["token_endpoint_auth_methods_supported"], f"{method} is not advertised")

with check("OpenID spelling of the metadata, the same document"):
    expect(get_json(openid_well_known_url(ISSUER, external=True)) == metadata, "the two documents differ")
    OpenIDProviderMetadata(metadata).validate()
    expect(ALGORITHM in metadata["id_token_signing_alg_values_supported"], f"{ALGORITHM} is not advertised")

with check("jwks_uri, a set of public keys"):
    keys = KeySet.import_key_set(get_json(metadata["jwks_uri"]))
    expect(not any(key.is_private for key in keys), "a private key is published")

with check(f"client_secret_basic, id and secret as they are: an {ALGORITHM} token that verifies"):
    verify(session("client_secret_basic").fetch_token())

with check("client_secret_basic, id and secret form-urlencoded: a token that verifies"):
    encoding = session("form_encoded_basic")
    encoding.register_client_auth_method(("form_encoded_basic", form_encoded_basic))
    verify(encoding.fetch_token())

with check("client_secret_post: a token that verifies"):
    verify(session("client_secret_post").fetch_token())

with check("audience asked for by name (RFC 8707): a token that verifies"):
    parameter = "resource" if "://" in AUDIENCE else "audience"
    verify(session("client_secret_basic").fetch_token(**{parameter: AUDIENCE}))

for method in ("client_secret_basic", "client_secret_post"):
    with check(f"{method}, wrong secret: invalid_client"):
        try:
            session(method, secret="wrong").fetch_token()
        except OAuthError as error:
            expect(error.error == "invalid_client", f"the error is {error.error!r}")
        else:
            raise ValueError("a token was issued")
