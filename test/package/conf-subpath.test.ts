import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";
import { importsOf } from "@/test/fixtures/source.js";

const dist = join(ROOT, "dist");
const web = join(dist, "web/conf.js");

/** Runs a module in its own process, in the package's folder. Resolves with the JSON of its output. */
async function evaluate(script: string, ...flags: readonly string[]): Promise<unknown> {
  const args = [...flags, "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout);
}

/** Reads files with both subpaths, and prints the results. */
const USE = `
  const text = "[DEFAULT]\\ntransport_url = amqp+ws://h/\\n[oslo_messaging_amqp]\\nidle_timeout = ";
  const { rpc } = parseConf(text + "5");
  const transport = getRpcTransport(rpc.url, rpc.options);
  const state = transport.state.type;
  await transport.close();
  const thrown = (() => { try { parseConf(text + "soon"); } catch (error) { return error; } })();
  const refused = await loadConf("no.conf").catch((error) => error);
  process.stdout.write(JSON.stringify({
    state,
    same: [thrown instanceof ConfigurationError, refused instanceof ConfigurationError],
    keys: [thrown.key, refused.key],
    message: refused.message,
  }));`;

describe("oslo-messaging/conf", { timeout: 60_000 }, () => {
  it("oslo-messaging/conf resolves in Node, and throws the classes of the root", {
    tags: ["options:file:apart"],
  }, async () => {
    const names = `
      import { ConfigurationError, getRpcTransport } from "oslo-messaging";
      import { loadConf, parseConf } from "oslo-messaging/conf";`;
    expect(await evaluate(names + USE)).toEqual({
      state: "idle",
      same: [true, true],
      keys: ["[oslo_messaging_amqp] idle_timeout", "no.conf"],
      message: expect.stringMatching(/^no\.conf: ENOENT/),
    });
  });

  it("oslo-messaging/conf resolves in runtimes other than Node, and throws the classes of the root", async () => {
    const names = `
      const { ConfigurationError, getRpcTransport } = await import("oslo-messaging");
      const { loadConf, parseConf } = await import("oslo-messaging/conf");`;
    const conditions = ["--conditions=browser"];
    expect(await evaluate(names + USE, ...conditions)).toMatchObject({
      same: [true, true],
      message: "no.conf: cannot be read: this runtime has no files; pass its text to parseConf",
    });
    const found = await evaluate(
      'process.stdout.write(JSON.stringify(import.meta.resolve("oslo-messaging/conf")))',
      ...conditions,
    );
    expect(found).toBe(pathToFileURL(web).href);
  });
});

describe("dist/web/conf.js", { timeout: 60_000 }, () => {
  it("dist/web/conf.js loads the libraries that the root does not contain", async () => {
    const signs = ["Unsupported type of line", "YAMLParseError"];
    const texts = await Promise.all([web, join(dist, "web/web.js")].map(textWithChunks));
    expect(texts.map((text) => signs.filter((sign) => text.includes(sign)))).toEqual([signs, []]);
  });
});

/** Text of a file and of the chunks that it imports. */
async function textWithChunks(path: string): Promise<string> {
  const paths = [path, ...(await importsOf(path)).map((name) => join(dist, "web", name))];
  return (await Promise.all(paths.map((each) => readFile(each, "utf8")))).join("\n");
}
