import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

it.each(["websocket/dial", "memory"])("%s.ts needs nothing that a browser lacks", async (name) => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`src/transports/${name}.ts`],
    bundle: true,
    write: false,
    metafile: true,
    platform: "neutral",
    external: ["node:*", "ws"],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  expect(imports).toEqual([]);
  expect(Object.keys(metafile.inputs).filter((path) => !path.startsWith("src/"))).toEqual([]);
});
