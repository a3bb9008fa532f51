#!/usr/bin/env bash
#
# Gets a token from Sealwright and prints it; calls an API with it if API_URL is set.
# Needs bash and curl.
#
#   SEALWRIGHT_ISSUER         the issuer, such as https://auth.example.com
#   SEALWRIGHT_CLIENT_ID      the client
#   SEALWRIGHT_CLIENT_SECRET  its secret
#   API_URL                   the API to call with the token, optional
#
# The token is the first line of standard output; the API's response follows.
# Exit status: 0, 1 (failed) or 2 (a setting is missing).

set -euo pipefail

fail() {
  printf 'token.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

command -v curl >/dev/null || fail 'this needs curl' 2
for name in SEALWRIGHT_ISSUER SEALWRIGHT_CLIENT_ID SEALWRIGHT_CLIENT_SECRET; do
  [[ -n ${!name:-} ]] || fail "set $name in the environment" 2
done

# form_encode TEXT: application/x-www-form-urlencoded (RFC 6749 appendix B). What
# it prints is also safe between the quotes of a curl configuration.
form_encode() {
  local LC_ALL=C text=$1 char i
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in
      [A-Za-z0-9._-]) printf '%s' "$char" ;;
      *) printf '%%%02X' "'$char" ;;
    esac
  done
}

# Responses go to a file that only this user can read. curl empties it before it
# tries again, which it cannot do with standard output.
umask 077
response=$(mktemp)
trap 'rm -f "$response"' EXIT

# request URL [OPTION...]: prints the status, and writes the body to $response. Secrets
# come on standard input as curl configuration: every user of the machine can read the
# arguments of a process. curl retries network failures, 429 and 5xx with a growing
# wait, and obeys Retry-After.
request() {
  curl --silent --show-error --config - --output "$response" --write-out '%{http_code}' \
    --connect-timeout 5 --max-time 30 --retry 3 --retry-all-errors --retry-max-time 60 \
    "${@:2}" --url "$1"
}

# member NAME: a string of the JSON object in $response. This suffices for tokens and
# OAuth error codes, which have no quotes (RFC 6749 section 5.2); for more, use jq.
member() {
  sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$response" | head -n 1
}

# RFC 6749 sections 2.3.1 and 4.4.2
token_endpoint=${SEALWRIGHT_ISSUER%/}/api/oauth/token
status=$(
  printf 'user = "%s:%s"\n' \
    "$(form_encode "$SEALWRIGHT_CLIENT_ID")" "$(form_encode "$SEALWRIGHT_CLIENT_SECRET")" |
    request "$token_endpoint" --data grant_type=client_credentials
) || fail "no response from $token_endpoint"
[[ $status == 200 ]] || fail "$token_endpoint answered $status $(member error) $(member error_description)"

token=$(member access_token)
[[ $token =~ ^[A-Za-z0-9._~+/-]+=*$ ]] || fail "$token_endpoint answered without a token"
printf '%s\n' "$token"

[[ -n ${API_URL:-} ]] || exit 0

status=$(
  printf 'header = "Authorization: Bearer %s"\n' "$token" | request "$API_URL"
) || fail "no response from $API_URL"
printf '%s\n' "$(<"$response")"
[[ $status == 2?? ]] || fail "$API_URL answered $status"
