curl https://auth.example.com/api/oauth/token \
  --user "$CLIENT_ID:$CLIENT_SECRET" \
  --data grant_type=client_credentials \
  --data scope=orders:read
