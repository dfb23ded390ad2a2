// What a page loads, in bytes: minified, compressed as a server would (gzip, level 9), and by module. etc/web-size.json has
// the budget and the size that was accepted last.
import { gzipSync } from "node:zlib";

/** Bytes, compressed. */
const GOAL = 40_000;
const BUDGET_STEP = 500;

/** `inputs` are those of esbuild's metafile: the module's share is what it has in esbuild's output. */
export function measure(code, inputs) {
  const modules = Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => [path.replace("node_modules/", ""), bytesInOutput])
    .filter(([, bytes]) => bytes > 0)
    .sort();
  return { minified: Buffer.byteLength(code), gzip: gzip(code), modules: Object.fromEntries(modules) };
}

export function gzip(code) {
  return gzipSync(code, { level: 9 }).length;
}

/** The size as it is accepted: the budget is the next half kilobyte. */
export function accepted(size) {
  return { budget: Math.ceil(size.gzip / BUDGET_STEP) * BUDGET_STEP, ...size };
}

/** For people. `rpcOnly`: of a page that imports an RPC client alone. */
export function describe({ minified, gzip, modules }, { budget }, rpcOnly) {
  const goal = budget > GOAL ? `, the goal is ${kilobytes(GOAL)}` : "";
  return [
    `dist/web.min.js: ${kilobytes(minified)}, gzip: ${kilobytes(gzip)} (budget ${kilobytes(budget)}${goal})`,
    `  by room: ${[...byRoom(modules)].map(([room, bytes]) => `${room} ${kilobytes(bytes)}`).join(", ")}`,
    `  a page that imports getRpcTransport and getRpcClient only: gzip ${kilobytes(rpcOnly)}`,
  ].join("\n");
}

/** Throws when the size is over the budget, with what grew since it was accepted. */
export function check(size, { budget, gzip, modules }) {
  if (size.gzip <= budget) return;
  const grown = Object.entries(size.modules)
    .map(([path, bytes]) => ({ path, bytes, more: bytes - (modules[path] ?? 0) }))
    .filter(({ more }) => more > 0)
    .sort((a, b) => b.more - a.more);
  const list = grown.map(({ path, bytes, more }) => `  ${path}: ${bytes} bytes, ${more} more\n`).join("");
  throw new Error(
    `dist/web.min.js is ${size.gzip} bytes compressed, over its budget of ${budget}; when that was set it was ${gzip}. What grew, minified:\n${list}npm run accept-size takes it as it is.`,
  );
}

/** The largest first. */
function byRoom(modules) {
  const rooms = new Map();
  for (const [path, bytes] of Object.entries(modules)) {
    const room = roomOf(path);
    rooms.set(room, (rooms.get(room) ?? 0) + bytes);
  }
  return [...rooms].sort(([, a], [, b]) => b - a);
}

/** `src/driver/rpc/client.ts` is in driver/rpc, rhea in rhea, and what stands for Node in shims. */
function roomOf(path) {
  const [top, ...rest] = path.split("/").slice(0, -1);
  return top === "rhea" ? top : rest.join("/");
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
