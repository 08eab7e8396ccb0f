# shellcheck shell=bash
# Shared by the scripts in scripts/; sourced after `set -euo pipefail`. Works with bash 3.2 (macOS).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# What tests and benchmarks obtain (servers, Python environments, data sets): per user, so that clones share it.
cache=${LAKEJOBS_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/lakejobs}
# Files of this run alone.
work=$(mktemp -d "${TMPDIR:-/tmp}/lakejobs-script.XXXXXX")
child=
# Servers that the script has started, by process id.
servers=

clean_up() {
  local process
  for process in $child $servers; do
    # npm takes back what it had begun, servers remove their data: a rerun must not meet them at that.
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  # What one of them writes while it ends may come in between.
  rm -rf "$work" 2>/dev/null || { sleep 2 && rm -rf "$work"; }
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
say() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# quietly LABEL COMMAND…: one line for what went well, the end of the output for what did not.
quietly() {
  local label=$1 start=$SECONDS status=0 log
  shift
  # Of its own, as lanes of scripts/test run side by side.
  log=$(mktemp "$work/log.XXXXXX")
  "$@" >"$log" 2>&1 </dev/null &
  child=$!
  wait "$child" || status=$?
  child=
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    printf '%s: failed (exit %s)\n' "$label" "$status" >&2
    return "$status"
  fi
  printf '%s (%s s)\n' "$label" "$((SECONDS - start))"
}

# appear FOLDER PLACE: the folder is at PLACE at once and whole; where another run was first, that one's stays.
appear() {
  node -e 'fs.renameSync(...process.argv.slice(1))' "$1" "$2" 2>/dev/null || rm -rf "$1"
  [ -d "$2" ]
}

require_node() {
  local wanted='lakejobs needs Node.js 20.19 or newer (20, 22.12+ or 24): https://nodejs.org/en/download'
  command -v node >/dev/null || fail "No node on the PATH. $wanted"
  command -v npm >/dev/null || fail "No npm on the PATH; it comes with Node.js. $wanted"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number)
    process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a >= 24 ? 0 : 1)' ||
    fail "This is Node.js $(node --version). $wanted"
}

# What package-lock.json says, and dist/ made of jobs/.
install_and_build() {
  cd "$root"
  require_node
  if node scripts/lib/installed.js; then
    echo 'packages are up to date'
  else
    # npm ci would empty the folder behind the link, which others may be using.
    [ ! -L node_modules ] || fail 'node_modules is a link and not what package-lock.json says: remove the link, or run npm ci where it points.'
    say 'Installing npm packages (once; about 100 MB to download, 320 MB on disk)'
    quietly 'npm ci' npm ci --no-audit --no-fund --loglevel=error
  fi
  node scripts/lib/reachable-postgres.js
  quietly 'npm run build' npm run build --silent
}
