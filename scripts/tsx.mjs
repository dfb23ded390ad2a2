// For `node --import`: runs TypeScript by tsx, with the rhea that is in the bundles, as the sources require.
import { register } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import "tsx";
import { writeTrimmedRhea } from "./rhea.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const path = await writeTrimmedRhea(join(root, ".cache/rhea/connection.mjs"));
register("./rhea-hook.mjs", import.meta.url, { data: pathToFileURL(path).href });
