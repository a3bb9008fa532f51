#!/usr/bin/env bash
#
# Gets a token from Sealwright and prints it; calls an API with it if one is named.
# Needs bash and curl.
#
#   SEALWRIGHT_ISSUER         the issuer, such as https://auth.example.com
#   SEALWRIGHT_CLIENT_ID      the client
#   SEALWRIGHT_CLIENT_SECRET  its secret
#   API_URL                   what to call with the token, if anything
#
# The token is the first line of standard output, the answer of the API follows.
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
# it prints is safe between the quotes of a curl configuration, too.
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

# The answers go to a file that nobody else can read: curl empties it before it
# tries again, which it cannot do with what it has written to standard output.
umask 077
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# request URL [OPTION...]: the status on standard output, the body in $answer. What is
# secret comes on standard input as curl configuration: the arguments of a process
# can be read by everyone on the machine. curl retries failures of the network, 429
# and 5xx with a growing wait, and obeys Retry-After.
request() {
  curl --silent --show-error --config - --output "$answer" --write-out '%{http_code}' \
    --connect-timeout 5 --max-time 30 --retry 3 --retry-all-errors --retry-max-time 60 \
    "${@:2}" --url "$1"
}

# member NAME: a string of the JSON object in $answer. Enough for tokens and OAuth
# error codes, which hold no quotes (RFC 6749 section 5.2); for more, use jq.
member() {
  sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$answer" | head -n 1
}

# RFC 6749 sections 2.3.1 and 4.4.2
token_endpoint=${SEALWRIGHT_ISSUER%/}/api/oauth/token
status=$(
  printf 'user = "%s:%s"\n' \
    "$(form_encode "$SEALWRIGHT_CLIENT_ID")" "$(form_encode "$SEALWRIGHT_CLIENT_SECRET")" |
    request "$token_endpoint" --data grant_type=client_credentials
) || fail "no answer from $token_endpoint"
[[ $status == 200 ]] || fail "$token_endpoint answered $status $(member error) $(member error_description)"

token=$(member access_token)
[[ $token =~ ^[A-Za-z0-9._~+/-]+=*$ ]] || fail "$token_endpoint answered without a token"
printf '%s\n' "$token"

[[ -n ${API_URL:-} ]] || exit 0

status=$(
  printf 'header = "Authorization: Bearer %s"\n' "$token" | request "$API_URL"
) || fail "no answer from $API_URL"
printf '%s\n' "$(<"$answer")"
[[ $status == 2?? ]] || fail "$API_URL answered $status"
