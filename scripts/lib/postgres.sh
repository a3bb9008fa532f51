# shellcheck shell=bash
# A temporary PostgreSQL on a free port of 127.0.0.1, with TLS and passwords.

postgres_folder=''

# Prints the folder of the programs to use: the newest that Debian has installed, unless another one is set.
postgres_bin() {
  local bin folders
  mapfile -t folders < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
  if [[ -n ${SEALWRIGHT_TEST_POSTGRES_BIN:-} ]]; then
    folders=("$SEALWRIGHT_TEST_POSTGRES_BIN")
  fi
  for bin in "${folders[@]}"; do
    if [[ -x $bin/initdb && -x $bin/postgres && -x $bin/pg_ctl && -x $bin/psql ]]; then
      echo "$bin"
      return
    fi
  done
  return 1
}

# PostgreSQL refuses to run as root.
postgres_user() {
  if ((EUID != 0)); then
    return
  elif id postgres &>/dev/null; then
    echo postgres
  else
    echo nobody
  fi
}

# as_postgres COMMAND…: runs it in the temporary folder, as the server's user.
as_postgres() (
  cd "$postgres_folder" || exit
  if [[ -n $SEALWRIGHT_TEST_POSTGRES_USER ]]; then
    exec runuser -u "$SEALWRIGHT_TEST_POSTGRES_USER" -- "$@"
  fi
  exec "$@"
)

start_postgres() {
  local password port
  SEALWRIGHT_TEST_POSTGRES_BIN=$(postgres_bin)
  SEALWRIGHT_TEST_POSTGRES_USER=$(postgres_user)
  # Not below $TMPDIR: the server's user may have no access to it, or the path may be too long for a socket.
  postgres_folder=$(mktemp -d /tmp/sealwright-test.XXXXXX)
  chmod 755 "$postgres_folder"
  if [[ -n $SEALWRIGHT_TEST_POSTGRES_USER ]]; then
    chown "$SEALWRIGHT_TEST_POSTGRES_USER:" "$postgres_folder"
  fi

  password=$(openssl rand -hex 16)
  make_certificates
  make_cluster "$password"
  launch_postgres
  port=$(sed -n 4p "$postgres_folder/data/postmaster.pid")

  PGPASSWORD=$password "$SEALWRIGHT_TEST_POSTGRES_BIN/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    "host=127.0.0.1 port=$port user=postgres dbname=postgres sslmode=verify-full sslrootcert=$postgres_folder/ca.crt" \
    <<<"CREATE ROLE sealwright LOGIN CREATEDB PASSWORD '$password'; ALTER DATABASE postgres OWNER TO sealwright;"

  export SEALWRIGHT_TEST_POSTGRES_BIN SEALWRIGHT_TEST_POSTGRES_USER
  export SEALWRIGHT_TEST_POSTGRES_CA=$postgres_folder/ca.crt
  export SEALWRIGHT_TEST_POSTGRES_URL=postgres://sealwright:$password@127.0.0.1:$port/postgres
}

# Creates ca.crt, and server.crt and server.key for localhost and 127.0.0.1.
make_certificates() {
  cat >"$postgres_folder/tls.cnf" <<'END'
[req]
distinguished_name = subject
[subject]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
  make_certificate ca '/CN=Sealwright test authority'
  make_certificate server '/CN=localhost' -CA "$postgres_folder/ca.crt" -CAkey "$postgres_folder/ca.key"
  chmod 644 "$postgres_folder/ca.crt"
  rm "$postgres_folder/ca.key"
  if [[ -n $SEALWRIGHT_TEST_POSTGRES_USER ]]; then
    chown "$SEALWRIGHT_TEST_POSTGRES_USER:" "$postgres_folder"/server.*
  fi
}

# make_certificate NAME SUBJECT OPTION…
make_certificate() {
  openssl req -x509 -config "$postgres_folder/tls.cnf" -extensions "$1" -subj "$2" -days 30 \
    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
    -keyout "$postgres_folder/$1.key" -out "$postgres_folder/$1.crt" "${@:3}" 2>/dev/null
}

# make_cluster PASSWORD
make_cluster() {
  as_postgres sh -c 'umask 077 && cat >password' <<<"$1"
  as_postgres "$SEALWRIGHT_TEST_POSTGRES_BIN/initdb" --pgdata=data --username=postgres --pwfile=password \
    --auth=scram-sha-256 --no-locale --encoding=UTF8 --no-sync >/dev/null
  rm "$postgres_folder/password"
  # Its files are temporary: it need not wait for the disk.
  cat >>"$postgres_folder/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = '$postgres_folder'
max_connections = 200
fsync = off
ssl = on
ssl_cert_file = '$postgres_folder/server.crt'
ssl_key_file = '$postgres_folder/server.key'
END
}

# Tries ports below the system's ephemeral range, until one is free.
launch_postgres() {
  local log=$postgres_folder/server.log
  for _ in {1..10}; do
    if as_postgres "$SEALWRIGHT_TEST_POSTGRES_BIN/pg_ctl" start --silent --wait --pgdata=data --log="$log" \
      --options="-p $((20000 + RANDOM % 10000))" </dev/null 2>/dev/null; then
      return
    fi
    grep -q 'Address already in use' "$log" || break
    rm "$log"
  done
  cat "$log" >&2
  return 1
}

stop_postgres() {
  [[ -n $postgres_folder ]] || return 0
  if [[ -e $postgres_folder/data/postmaster.pid ]]; then
    as_postgres "$SEALWRIGHT_TEST_POSTGRES_BIN/pg_ctl" stop --silent --pgdata=data --mode=immediate || true
  fi
  rm -rf "$postgres_folder"
}
