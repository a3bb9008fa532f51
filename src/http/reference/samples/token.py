import os

import requests

answer = requests.post(
    "https://auth.example.com/api/oauth/token",
    auth=(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]),
    data={"grant_type": "client_credentials", "scope": "orders:read"},
    timeout=10,
)
answer.raise_for_status()
token = answer.json()["access_token"]
