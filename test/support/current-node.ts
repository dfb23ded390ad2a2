import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SETUP = fileURLToPath(new URL("../../scripts/setup.sh", import.meta.url));

/** The executable of a newer Node than the one that runs the tests: setup.sh says which, and installs it. */
export function currentNode(): string {
  const [, version] = /^node_version=(\S+)$/m.exec(readFileSync(SETUP, "utf8")) ?? [];
  if (version === undefined) throw new Error(`${SETUP} does not say which node_version it installs`);
  const path = fileURLToPath(new URL(`../../.cache/node-${version}/node_modules/node/bin/node`, import.meta.url));
  if (!existsSync(path))
    throw new Error(`Node ${version} is not there: no ${path}. Install it with: bash scripts/setup.sh`);
  return path;
}
