# shellcheck shell=bash
# Packages for the tests with clients in other languages. They are installed again only when their requirements change.

# prepare_interop FOLDER
prepare_interop() {
  local lock
  mkdir -p "$1"
  exec {lock}>"$1/.lock"
  flock "$lock"
  prepare_python "$1/python" tests/interop/python/requirements.txt examples/python/requirements.txt
  export SEALWRIGHT_TEST_PYTHON=$1/python/bin/python
  # Programs that read the OpenAPI document, and what the clients need that one of them generates.
  prepare_python "$1/generated" tests/interop/generated/requirements.txt
  export SEALWRIGHT_TEST_GENERATED_PYTHON=$1/generated/bin/python
  prepare_node "$1/node"
  exec {lock}>&-
}

# prepare_python FOLDER REQUIREMENTS…: creates a virtual environment there.
prepare_python() {
  local folder=$1 requirements=("${@:2}") wanted
  wanted=$(python3 --version && sha256sum "${requirements[@]}")
  if ! is_prepared "$folder" "$wanted"; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${requirements[@]/#/--requirement=}"
    echo "$wanted" >"$folder/.prepared"
  fi
}

# prepare_node FOLDER: copies the Node.js code there, so that its packages stay out of the source tree.
prepare_node() {
  prepare_node_project tests/interop/node "$1/interop"
  prepare_node_project tests/interop/generated/typescript "$1/generated"
  prepare_node_project examples/node "$1/examples"
  export SEALWRIGHT_TEST_NODE_DIR=$1
}

# prepare_node_project SOURCE FOLDER
prepare_node_project() {
  local source=$1 folder=$2 wanted
  wanted=$(node --version && sha256sum "$source/package.json" "$source/package-lock.json")
  mkdir -p "$folder"
  find "$folder" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name .prepared -exec rm -rf {} +
  find "$source" -mindepth 1 -maxdepth 1 ! -name node_modules -exec cp -R -t "$folder" {} +
  if ! is_prepared "$folder" "$wanted"; then
    (cd "$folder" && npm ci --no-audit --no-fund --no-update-notifier --ignore-scripts </dev/null)
    echo "$wanted" >"$folder/.prepared"
  fi
}

# is_prepared FOLDER WANTED: succeeds if the folder was prepared from exactly these requirements.
is_prepared() {
  [[ -f $1/.prepared && $(<"$1/.prepared") == "$2" ]]
}
