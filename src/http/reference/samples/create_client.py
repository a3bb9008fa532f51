import os
import uuid

import requests

answer = requests.post(
    "https://auth.example.com/api/v1/clients",
    headers={"Authorization": f"Bearer {os.environ['TOKEN']}", "Idempotency-Key": str(uuid.uuid4())},
    json={"name": "billing", "scopes": ["orders:read"]},
    timeout=10,
)
answer.raise_for_status()
client = answer.json()  # client["client_secret"] is shown this once
