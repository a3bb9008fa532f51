curl https://auth.example.com/api/v1/clients \
  --header "Authorization: Bearer $TOKEN" \
  --header "Idempotency-Key: make-billing" \
  --json '{"name": "billing", "scopes": ["orders:read"]}'
