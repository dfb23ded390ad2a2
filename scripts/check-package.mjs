// Looks at what is published, after a build: the committed report of the public API is that of the code, nothing public is
// without documentation, and the packed package resolves, with its types, wherever it can. Asks no registry.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tool = (name) => join(root, "node_modules/.bin", name);

const faults = (await Promise.all([checkReports(), checkDocs(), checkPackage(), checkJsr()])).flat();
for (const { what, text } of faults) process.stderr.write(`${text.trim()}\n${what}\n\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function checkReports() {
  const what = "The API is not that of etc/*.api.md: npm run api updates it";
  const configurations = (await readdir(root)).filter((name) => /^api-extractor.*\.json$/.test(name));
  const checks = configurations.map((name) => check(what, tool("api-extractor"), "run", "-c", name));
  return (await Promise.all(checks)).flat();
}

async function checkDocs() {
  return await check("Something public is without documentation", tool("typedoc"), "--emit", "none");
}

/** ESM only, so TypeScript's resolution of Node 10 and that of require are of no interest. */
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

/** As far as Deno gets without its registry. */
async function checkJsr() {
  const publish = ["publish", "--dry-run", "--allow-dirty"];
  return await check("The package cannot be published for Deno", tool("deno"), ...publish);
}

/** None, or the fault that the command found, with what it said. */
async function check(what, command, ...args) {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
  }
  const [code] = await once(child, "close");
  return code === 0 ? [] : [{ what, text }];
}
