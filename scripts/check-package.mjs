// Checks the package after a build: the committed API reports match the code, everything public is documented, and the
// packed package resolves with its types in every supported environment. Does not use a registry.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tool = (name) => join(root, "node_modules/.bin", name);

const faults = (await Promise.all([checkReports(), checkDocs(), checkPackage(), checkJsr()])).flat();
for (const { problem, text } of faults) process.stderr.write(`${text.trim()}\n${problem}\n\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function checkReports() {
  const problem = "The API differs from etc/*.api.md; update it with: npm run api";
  const configurations = (await readdir(root)).filter((name) => /^api-extractor.*\.json$/.test(name));
  const checks = configurations.map((name) => check(problem, tool("api-extractor"), "run", "-c", name));
  return (await Promise.all(checks)).flat();
}

async function checkDocs() {
  return await check("Public API without documentation", tool("typedoc"), "--emit", "none");
}

/** The package is ESM only, so resolution by TypeScript's node10 mode and by require is not checked. */
async function checkPackage() {
  const directory = await mkdtemp(join(tmpdir(), "oslo-package-"));
  try {
    const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", directory];
    const packed = await check("The package cannot be packed", "npm", ...pack);
    if (packed.length > 0) return packed;
    const [name] = await readdir(directory);
    const tarball = join(directory, name);
    return [
      ...(await check("publint found faults", tool("publint"), "run", tarball, "--strict")),
      ...(await check(
        "attw found faults",
        tool("attw"),
        tarball,
        "--profile",
        "esm-only",
        "--no-definitely-typed",
        "--no-emoji",
      )),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Checks the package for Deno as far as is possible without its registry. */
async function checkJsr() {
  const publish = ["publish", "--dry-run", "--allow-dirty"];
  return await check("The package cannot be published for Deno", tool("deno"), ...publish);
}

/** Runs a command. Returns an empty array, or the problem with the command's output if it fails. */
async function check(problem, command, ...args) {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
  }
  const [code] = await once(child, "close");
  return code === 0 ? [] : [{ problem, text }];
}
