import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pageFiles } from "./page-files.js";

const DIRECTORY = fileURLToPath(new URL("../.cache/playground", import.meta.url));

await rm(DIRECTORY, { recursive: true, force: true });
for (const [path, { body }] of await pageFiles({ webSocketUrl: "", tcpUrl: "" })) {
  const file = join(DIRECTORY, path === "/" ? "index.html" : path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, body);
}
process.stdout.write(
  `The playground is in ${DIRECTORY}. Any web server can serve it; the message bus runs in the page.\n`,
);
