# shellcheck shell=bash
# What every script under tests/ shares: where things are, how to say something, how to wait with a limit.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TESTBED=${BACKUPX_TESTBED:-$HOME/.cache/backupx-testbed}
TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
BACKUPX_BIN=${BACKUPX_BIN:-$TARGET_DIR/debug/backupx}

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# wait_for SECONDS WHAT COMMAND…: runs the command until it succeeds; fails with the name of what never came.
wait_for() {
  local limit=$1 what=$2 deadline=$((SECONDS + $1))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      say "error: $what did not come within $limit s"
      return 1
    fi
    sleep 0.05
  done
}

# stop_pid PID SECONDS: SIGTERM, then SIGKILL when the time is over.
stop_pid() {
  local pid=$1 deadline=$((SECONDS + $2))
  kill "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      kill -9 "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
  wait "$pid" 2>/dev/null || true
}

# free_ports COUNT: that many loopback ports whose neighbours 10,000 above are free too (some servers take both), below the
# range from which the kernel picks ports for outgoing connections.
free_ports() {
  python3 - "$1" <<'PYTHON'
import random, socket, sys

found = []
while len(found) < int(sys.argv[1]):
    port = random.randrange(20_000, 22_700)
    try:
        for number in (port, port + 10_000):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", number))
    except OSError:
        continue
    if port not in found:
        found.append(port)
print(*found)
PYTHON
}
