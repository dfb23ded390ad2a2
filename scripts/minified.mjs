// Makes web.min.js and rabbit.min.js, for pages without a bundler. No module is in both: rabbit.min.js gets what it shares with
// web.min.js from an array that web.min.js exports. The name of this array differs in each build, so that two files that do not
// belong together fail when they are linked, with an error that has the name.
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import * as esbuild from "esbuild";
import { minify } from "terser";

const WEB = "src/entry/web.ts";
const RABBIT = "src/entry/rabbit.ts";

/** Stands for the name of the array until the text of web.min.js is known. */
const ARRAY = "internals_of_web_min_js";

/** Name of the module of the array, in both files. */
const ARRAY_MODULE = "src/internals/array.js";

/** Terser's defaults, except where the compressed file becomes smaller. */
const TERSER = {
  module: true,
  ecma: 2022,
  compress: { passes: 3, inline: 1, lhs_constants: false, sequences: false },
  format: { comments: /^!/ },
};

/**
 * Returns `web` and `rabbit`, each with its `code` and its `inputs`: the part of esbuild's output by module. `options` are
 * esbuild's for runtimes without Node, `version` is the package's.
 */
export async function minifiedFiles(options, version) {
  const { web, rabbit } = await bundledFiles(options);
  const [webMinified, rabbitMinified] = await Promise.all([web, rabbit].map(({ code }) => minify(code, TERSER)));
  const hash = createHash("sha256").update(webMinified.code).digest("hex").slice(0, 6);
  const name = `internals_${version}_${hash}`.replace(/\W/g, "_");
  return {
    web: { ...web, code: webMinified.code.replaceAll(ARRAY, name) },
    rabbit: { ...rabbit, code: rabbitMinified.code.replaceAll(ARRAY, name) },
  };
}

/** The two files as esbuild makes them. */
export async function bundledFiles(options) {
  const { inputs } = await bundle({ ...options, entryPoints: [WEB] });
  const shared = await exportsOf(options, Object.keys(inputs));
  const symbols = await sharedSymbols(options, shared);
  const elements = symbols.map((_symbol, at) => `s${at}`).join(", ");
  const imports = symbols.map(({ path, name }, at) => `import { ${name} as s${at} } from "./${path}";`);
  const contents = [`export * from "./${WEB}";`, ...imports, `export const ${ARRAY} = [${elements}];`].join("\n");
  const stdin = { contents, resolveDir: options.absWorkingDir, sourcefile: ARRAY_MODULE };
  const array = `import { ${ARRAY} } from "./web.min.js"; export const [${elements}] = ${ARRAY};`;
  const fromArray = (path, name) => {
    const at = symbols.findIndex((symbol) => symbol.path === path && symbol.name === name);
    return at < 0 ? `export const ${name} = undefined;` : `export { s${at} as ${name} } from "array";`;
  };
  const [web, rabbit] = await Promise.all([
    bundle({ ...options, stdin }),
    bundleRabbit(options, shared, fromArray, array),
  ]);
  return { web, rabbit };
}

/** The symbols of web.min.js that the driver uses. esbuild leaves only their calls of `shared`. */
async function sharedSymbols(options, shared) {
  const call = (path, name) => `export const ${name} = /* @__PURE__ */ shared("${path}", "${name}");`;
  const { code } = await bundleRabbit({ ...options, minify: false }, shared, call);
  return Array.from(code.matchAll(/\bshared\("([^"]+)", "([^"]+)"\)/g), ([, path, name]) => ({ path, name }));
}

/** The exports of each of the project's modules among `inputs`. */
async function exportsOf({ absWorkingDir, outdir }, inputs) {
  const entryPoints = inputs.filter((path) => path.startsWith("src/"));
  const { metafile } = await esbuild.build({ absWorkingDir, outdir, entryPoints, metafile: true, write: false });
  return new Map(Object.values(metafile.outputs).map(({ entryPoint, exports }) => [entryPoint, exports]));
}

/** Bundles the driver. `statement` makes each export of a `shared` module, and `array` is the module of that name. */
async function bundleRabbit(options, shared, statement, array = "") {
  const plugin = {
    name: "shared-modules",
    setup({ onResolve, onLoad }) {
      const pathOf = (file) => relative(options.absWorkingDir, file).replace(/\.js$/, ".ts");
      onResolve({ filter: /^\.\/web\.min\.js$/ }, ({ path }) => ({ path, external: true }));
      onResolve({ filter: /^array$/ }, () => ({ path: ARRAY_MODULE, namespace: "shared" }));
      onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        const module = pathOf(join(resolveDir, path));
        return shared.has(module) ? { path: module, namespace: "shared" } : undefined;
      });
      onLoad({ filter: /\.js$/, namespace: "shared" }, () => ({ contents: array }));
      onLoad({ filter: /\.ts$/, namespace: "shared" }, ({ path }) => ({
        contents: shared
          .get(path)
          .map((name) => statement(path, name))
          .join("\n"),
      }));
    },
  };
  return await bundle({ ...options, entryPoints: [RABBIT], plugins: [plugin], banner: {} }); // without rhea
}

async function bundle(options) {
  const { outputFiles, metafile } = await esbuild.build({ minify: true, ...options, metafile: true, write: false });
  const [{ inputs }] = Object.values(metafile.outputs);
  return { code: outputFiles[0].text, inputs };
}
