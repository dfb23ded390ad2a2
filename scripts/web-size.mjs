// Sizes in bytes of the files that a page loads: minified, compressed (gzip, level 9) and by module. etc/web-size.json and
// etc/rabbit-size.json have the budgets and the sizes that were accepted last.
import { gzipSync } from "node:zlib";

/** Compressed bytes. */
const GOALS = { "web.min.js": 40_000 };
const BUDGET_STEP = 500;

/** Measures `code` of `file`. `inputs` are those of esbuild's metafile; a module's size is its part of esbuild's output. */
export function measure(file, code, inputs) {
  const modules = Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => [path.replace(/^.*node_modules\//, ""), bytesInOutput])
    .filter(([, bytes]) => bytes > 0)
    .sort();
  return { file, minified: Buffer.byteLength(code), gzip: gzip(code), modules: Object.fromEntries(modules) };
}

export function gzip(code) {
  return gzipSync(code, { level: 9 }).length;
}

/** Accepts a size: the budget is rounded up to the next 500 bytes. */
export function accepted(size) {
  return { budget: Math.ceil(size.gzip / BUDGET_STEP) * BUDGET_STEP, ...size };
}

/** Describes the size as text. */
export function describe({ file, minified, gzip, modules }, { budget }) {
  const goal = budget > GOALS[file] ? `, the goal is ${kilobytes(GOALS[file])}` : "";
  return [
    `dist/${file}: ${kilobytes(minified)}, gzip: ${kilobytes(gzip)} (budget ${kilobytes(budget)}${goal})`,
    `  by room: ${[...byRoom(modules)].map(([room, bytes]) => `${room} ${kilobytes(bytes)}`).join(", ")}`,
  ].join("\n");
}

/** Describes the compressed size of a bundled page that imports only an RPC client. */
export function describeRpcOnly(gzip) {
  return `a page that imports getRpcTransport and getRpcClient only: gzip ${kilobytes(gzip)}`;
}

/** @throws Error when the size is over the budget, with the modules that grew since it was accepted. */
export function check(size, { budget, gzip, modules }) {
  if (size.gzip <= budget) return;
  const grown = Object.entries(size.modules)
    .map(([path, bytes]) => ({ path, bytes, more: bytes - (modules[path] ?? 0) }))
    .filter(({ more }) => more > 0)
    .sort((a, b) => b.more - a.more);
  const list = grown.map(({ path, bytes, more }) => `  ${path}: ${bytes} bytes, ${more} more\n`).join("");
  throw new Error(
    `dist/${size.file} is ${size.gzip} bytes compressed, over its budget of ${budget}; it was ${gzip} when last accepted. Modules that grew, minified:\n${list}To accept the size: npm run accept-size`,
  );
}

/** Sizes of the rooms, largest first. */
function byRoom(modules) {
  const rooms = new Map();
  for (const [path, bytes] of Object.entries(modules)) {
    const room = roomOf(path);
    rooms.set(room, (rooms.get(room) ?? 0) + bytes);
  }
  return [...rooms].sort(([, a], [, b]) => b - a);
}

/** Room of a module: driver/rpc for `src/driver/rpc/client.ts`, rhea for rhea, shims for the replacements of Node's modules. */
function roomOf(path) {
  const [top, ...rest] = path.split("/").slice(0, -1);
  return top === "rhea" ? top : rest.join("/");
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
