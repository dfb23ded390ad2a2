#!/usr/bin/env bash
# Checks style and types, builds, and runs the tests. `all` (the default) first installs what the tests need, and runs
# all of them; `quick` runs the unit tests and the suites over one embedded bed each, which need nothing but npm's packages.
# The last line is the result of the tests: "N passed, N failed". A check that fails earlier counts as one failed.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-all} in
  all) config=vitest.config.ts ;;
  quick) config=vitest.quick.config.ts ;;
  *)
    echo "usage: scripts/test.sh [all|quick]" >&2
    exit 64
    ;;
esac

check() {
  echo "== $*"
  "$@" && return
  echo "failed: $*" >&2
  echo "0 passed, 1 failed"
  exit 1
}

[ "$config" = vitest.quick.config.ts ] || check bash scripts/setup.sh
check npm run --silent lint
check npm run --silent types
check npm run --silent build
[ "$config" = vitest.quick.config.ts ] || check npm run --silent check-package

echo "== vitest"
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
status=0
reporters=(--reporter=default --reporter=./test/fixtures/summary-reporter.ts)
TEST_SUMMARY_FILE=$summary npx vitest run --config "$config" "${reporters[@]}" || status=$?
if [ "$status" -ne 0 ] && ! grep -q ' [1-9][0-9]* failed' "$summary"; then
  echo "vitest failed with status $status, but no test failed" >&2
  echo "0 passed, 1 failed" >"$summary"
fi
cat "$summary"
exit "$status"
