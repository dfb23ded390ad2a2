import { build } from "esbuild";
import { expect, it } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";

it.each(["websocket/dial", "memory"])(
  "transports/%s.ts bundles for browsers without imports of Node or packages",
  async (name) => {
    const { metafile } = await build({
      absWorkingDir: ROOT,
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
  },
);
