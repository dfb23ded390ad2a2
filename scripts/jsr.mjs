// Writes dist/jsr/, which jsr.json publishes: the files that package.json names for Deno, with their declarations. Deno
// resolves imports in declarations literally, and there is no ./target.js beside target.d.ts, so dist/types is rewritten.
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const { exports: subpaths } = JSON.parse(
  await readFile(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8"),
);

/** `dist` is the folder that contains web/ and types/. */
export async function writeJsrPackage(dist) {
  const jsr = join(dist, "jsr");
  await mkdir(jsr);
  await Promise.all([...entriesForDeno().map((entry) => writeEntry(entry)), writeChunks(), writeTypes()]);

  async function writeEntry({ file, types }) {
    const from = types.replace("./dist/", "./");
    const script = await readFile(join(dist, "web", basename(file)), "utf8");
    await write(basename(file), `/* @ts-self-types="${from}" */\n${script}`);
  }

  async function writeChunks() {
    const chunks = (await readdir(join(dist, "web"))).filter((name) => /^chunk-.*\.js$/.test(name));
    await Promise.all(chunks.map((name) => cp(join(dist, "web", name), join(jsr, name))));
  }

  async function writeTypes() {
    await cp(join(dist, "types"), join(jsr, "types"), { recursive: true });
    const names = (await readdir(join(jsr, "types"), { recursive: true })).filter((name) => name.endsWith(".d.ts"));
    await Promise.all(
      names.map(async (name) => {
        const text = await readFile(join(jsr, "types", name), "utf8");
        await write(join("types", name), text.replace(/(\bfrom |\bimport\()"(\..*?)\.js"/g, '$1"$2.d.ts"'));
      }),
    );
  }

  async function write(name, text) {
    await writeFile(join(jsr, name), text);
  }
}

function entriesForDeno() {
  return Object.values(subpaths)
    .filter(({ deno }) => deno !== undefined)
    .map(({ deno, types }) => ({ file: deno, types: typeof types === "string" ? types : types.deno }));
}
