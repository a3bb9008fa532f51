"""What schemathesis must not do: stop its own API key, alone or with all others, or reuse an Idempotency-Key for
another request."""

import itertools
import os

import schemathesis

OWN_ID = os.environ["SEALWRIGHT_KEY_ID"]
NOBODY = "key_" + "0" * 32
UNIQUE = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    if (case.path_parameters or {}).get("id") == OWN_ID:
        case.path_parameters["id"] = NOBODY
    if case.path.endswith("/revoke-all") and isinstance(case.body, dict):
        # Other values are left as they are, to be refused.
        if case.body.get("dry_run") is None or case.body["dry_run"] is False:
            case.body["dry_run"] = True
    for name, value in list((case.headers or {}).items()):
        is_valid = 0 < len(value) < 200 and all("!" <= letter <= "~" for letter in value)
        if name.lower() == "idempotency-key" and is_valid:
            case.headers[name] = f"{value}.{next(UNIQUE)}"
