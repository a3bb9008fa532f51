#!/usr/bin/env python3
"""A Python client that openapi-generator made of the document, as a user has it.

Settings, all from the environment:
  CLIENT_PACKAGE  the folder of the generated package sealwright_client
  ADDRESS         the server
  KEY             an API key that may create clients and keys

Exit status: 0, or 1 at the first check that fails.
"""

import os
import sys

sys.path.insert(0, os.environ["CLIENT_PACKAGE"])

import sealwright_client as sealwright

ADDRESS = os.environ["ADDRESS"]


def connect(**settings):
    return sealwright.ApiClient(sealwright.Configuration(host=ADDRESS, **settings))


manager = connect(api_key={"api_key": os.environ["KEY"]})
clients, keys = sealwright.ClientsApi(manager), sealwright.APIKeysApi(manager)

# Create: the secret comes with the object.
client = clients.create_client(
    sealwright.ClientCreate(name="billing", scopes=["orders:read"], allowed_ips=["127.0.0.1"], rate_per_minute=None),
    idempotency_key="create-billing",
)
assert client.client_secret, client
assert client.rate_per_minute is None and client.owner is None and client.secrets[0].live
key = keys.create_key(sealwright.ApiKeyCreate(name="nightly export", scopes=["orders:read"], type="partner"))
assert key.key.startswith("sw_live_"), key.prefix

# The same request once more is the same client.
again = clients.create_client(
    sealwright.ClientCreate(name="billing", scopes=["orders:read"], allowed_ips=["127.0.0.1"], rate_per_minute=None),
    idempotency_key="create-billing",
)
assert (again.id, again.client_secret) == (client.id, client.client_secret)

# Lists, page by page.
page = clients.list_clients(name="billing", limit=1)
assert [entry.id for entry in page.data] == [client.id] and page.next_cursor is None
first = keys.list_keys(limit=1)
second = keys.list_keys(limit=1, cursor=first.next_cursor)
assert first.data[0].id == key.id and second.data[0].id != key.id

# Change, rotate.
changed = keys.update_key(key.id, sealwright.ApiKeyUpdate(description="Runs at night."))
assert (changed.description, changed.name) == ("Runs at night.", "nightly export")
rotated = keys.rotate_key(key.id, secret_rotation=sealwright.SecretRotation(grace="1h"))
assert rotated.key != key.key and [value.live for value in rotated.values] == [True, True]
rotated_client = clients.rotate_client_secret(client.id)
assert rotated_client.client_secret != client.client_secret

# Verify: valid and refused.
verdict = keys.verify_key(sealwright.Verification(key=rotated.key, environment="production", scopes=["orders:read"]))
assert verdict.valid and verdict.code == "VALID" and verdict.id == key.id, verdict
assert verdict.scopes == ["orders:read"] and verdict.owner is None and verdict.rate_limit.limit == 10
verdict = keys.verify_key(sealwright.Verification(key="nonsense", environment="production"))
assert not verdict.valid and verdict.code == "NOT_FOUND" and verdict.id is None, verdict
verdict = keys.verify_key(sealwright.Verification(key=rotated.key, environment="production", scopes=["orders:write"]))
assert not verdict.valid and verdict.code == "INSUFFICIENT_SCOPE", verdict

# Tokens: create, introspect, revoke.
tokens = sealwright.TokensApi(connect(username=client.id, password=rotated_client.client_secret))
token = tokens.create_token("client_credentials", scope="orders:read")
assert token.token_type == "Bearer" and token.expires_in == 3600
introspection = tokens.introspect_token(token.access_token)
assert introspection.active and introspection.client_id == client.id and introspection.aud, introspection
introspection = tokens.introspect_token("nonsense")
assert not introspection.active and introspection.scope is None, introspection

# A refusal is a problem with a code and the fields.
try:
    clients.list_clients(cursor="cli_" + "0" * 32, limit=1000, owner="usr_" + "0" * 32)
    clients.get_client("cli_" + "0" * 32)
    raise AssertionError("a client that does not exist was shown")
except sealwright.ApiException as refused:
    assert refused.status == 404 and refused.data.code == "not_found", refused
try:
    connected = sealwright.APIKeysApi(connect())
    connected.list_keys()
    raise AssertionError("keys were listed for nobody")
except sealwright.ApiException as refused:
    assert refused.status == 401 and refused.data.code == "no_credentials", refused
