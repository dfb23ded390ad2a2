#!/usr/bin/env bash
# Installs the prerequisites and runs all checks: style, types, build, package and tests.
# The last line is the result of the tests: "N passed, N failed". A check that fails earlier counts as the one that failed.
set -euo pipefail
cd "$(dirname "$0")/.."

check() {
  echo "== $*"
  "$@" && return
  echo "failed: $*" >&2
  echo "0 passed, 1 failed"
  exit 1
}
check bash scripts/setup.sh
check npm run --silent lint
check npm run --silent types
check npm run --silent build
check npm run --silent check-package

echo "== vitest"
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
status=0
TEST_SUMMARY_FILE=$summary npx vitest run --reporter=default --reporter=./test/fixtures/summary-reporter.ts || status=$?
if [ "$status" -ne 0 ] && ! grep -q ' [1-9][0-9]* failed' "$summary"; then
  echo "vitest failed with status $status, but no test failed" >&2
  echo "0 passed, 1 failed" >"$summary"
fi
cat "$summary"
exit "$status"
