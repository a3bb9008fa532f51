# shellcheck shell=bash
# What the checks and tests need from the system, and the Debian packages that provide it.

# Prints one line for each missing item: its name, a tab, its Debian packages.
missing() {
  unless 'cargo (a Rust toolchain)' '' cargo --version
  unless 'cargo fmt (rustup component rustfmt)' '' cargo fmt --version
  unless 'cargo clippy (rustup component clippy)' '' cargo clippy --version
  unless 'a C compiler and headers' 'gcc libc6-dev' compiles_c
  unless 'make' 'make' make --version
  unless 'perl with its standard modules' 'perl' perl -MFindBin -MIPC::Cmd -MFile::Compare -MTime::Piece -e 1
  unless 'PostgreSQL server' 'postgresql' postgres_bin
  unless 'openssl' 'openssl' openssl version
  unless 'curl' 'curl ca-certificates' curl --version
  unless 'python3 with venv and pip' 'python3 python3-venv' python3 -c 'import venv, ensurepip'
  unless 'Node.js 18 or later' 'nodejs' node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'
  unless 'npm' 'npm' npm --version
  unless 'Go' 'golang-go' go version
  unless 'nginx with auth_request' 'nginx' has_auth_request
  unless 'Caddy' 'caddy' caddy version
  unless 'Apache with mod_lua and mod_oauth2' 'apache2-bin libapache2-mod-oauth2' has_apache
  unless 'LuaSocket for Lua 5.3' 'lua-socket' has_lua_socket
  unless 'HAProxy with Lua and OpenSSL' 'haproxy' has_haproxy
  ((EUID != 0)) || unless 'runuser' 'util-linux' runuser --version
}

# unless NAME PACKAGES COMMAND…: prints NAME and PACKAGES if the command fails.
unless() {
  "${@:3}" &>/dev/null </dev/null || printf '%s\t%s\n' "$1" "$2"
}

compiles_c() {
  echo '#include <stdio.h>' | cc -fsyntax-only -x c - && echo 'int main(void) { return 0; }' | cc -x c -o /dev/null -
}

# Debian installs nginx in a folder that only root's PATH has.
has_auth_request() {
  local options
  options=$(PATH=$PATH:/usr/sbin nginx -V 2>&1) && [[ $options == *--with-http_auth_request_module* ]]
}

# Debian installs these where only root looks for programs, too. Apache's own package would also bring a service; the
# tests need its program and modules only.
has_apache() {
  local modules=/usr/lib/apache2/modules
  PATH=$PATH:/usr/sbin apache2 -v && [[ -f $modules/mod_lua.so && -f $modules/mod_oauth2.so ]]
}

# Apache's module brings Lua itself: there may be no interpreter to ask.
has_lua_socket() {
  [[ -f /usr/share/lua/5.3/socket.lua ]]
}

has_haproxy() {
  local options
  options=$(PATH=$PATH:/usr/sbin haproxy -vv) && [[ $options == *+OPENSSL* && $options == *+LUA* ]]
}

# require_packages INSTALL: exits with 2 if anything is missing. If INSTALL is true, it is installed first.
require_packages() {
  local lacking
  lacking=$(missing)
  if [[ -n $lacking ]] && $1; then
    install_packages "$(cut -f 2 <<<"$lacking")"
    lacking=$(missing)
  fi
  [[ -z $lacking ]] || fail_missing "$lacking"
}

fail_missing() {
  local name packages
  echo 'scripts/test: missing on this system:'
  while IFS=$'\t' read -r name packages; do
    echo "  $name${packages:+ (Debian: $packages)}"
  done <<<"$1"
  echo 'As root, scripts/test --install installs Debian packages; it never installs a Rust toolchain.'
  exit 2
} >&2

# install_packages PACKAGES: failures are found by the check afterwards. The tests start their own servers: none of the
# distribution's servers is started, now or at the next boot.
install_packages() (
  no_start=/usr/sbin/policy-rc.d no_cluster=/etc/postgresql-common/createcluster.d/sealwright-test.conf
  packages=() made=()
  read -r -d '' -a packages <<<"$1" || true
  ((EUID == 0 && ${#packages[@]})) || return 0

  # Existing files remain; files created here are removed when the installation ends, however it ends.
  trap 'rm -f "${made[@]}"' EXIT
  # The installation of nginx would fail if nginx cannot start.
  if [[ ! -e $no_start ]]; then
    made+=("$no_start")
    install -m 755 /dev/stdin "$no_start" <<<$'#!/bin/sh\nexit 101' || return 0
  fi
  # The installation of PostgreSQL would also create a cluster.
  if is_among postgresql "${packages[@]}" && [[ ! -e $no_cluster ]]; then
    made+=("$no_cluster")
    install -D -m 644 /dev/stdin "$no_cluster" <<<'create_main_cluster = false' || return 0
  fi
  apt_get update || true
  apt_get install --no-install-recommends "${packages[@]}" || true
  for service in nginx caddy haproxy; do
    if is_among "$service" "${packages[@]}"; then
      systemctl disable "$service" || update-rc.d "$service" disable || true
    fi
  done
)

# is_among WORD WORDS…
is_among() {
  [[ " ${*:2} " == *" $1 "* ]]
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 "$@" </dev/null
}
