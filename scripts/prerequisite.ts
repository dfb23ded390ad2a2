import { existsSync } from "node:fs";

/** Ends the program with one line when a prerequisite is missing that scripts/setup.sh installs. */
export function requireInstalled(name: string, path: string): void {
  if (existsSync(path)) return;
  process.stderr.write(`${name} is not installed at ${path}: run bash scripts/setup.sh\n`);
  process.exit(1);
}
