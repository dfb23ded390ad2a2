import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";

const deno = join(ROOT, "node_modules/.bin/deno");

interface Manifest {
  version: string;
  license: string;
  exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
}

const USE = `
  import { ConfigurationError, getRpcTransport, Target } from "oslo-messaging";
  import { loadConf, parseConf } from "oslo-messaging/conf";
  import { Intermediary, memoryDial } from "oslo-messaging/intermediary";
  import { rabbit } from "oslo-messaging/rabbit";
  import { tcpDialers } from "oslo-messaging/tcp";

  const { rpc } = parseConf("[DEFAULT]\\ntransport_url = amqp+memory://h/\\n");
  const { accept } = new Intermediary({ kind: "router" });
  const transport = getRpcTransport(rpc.url, { ...rpc.options, dialers: { "amqp+memory": memoryDial(accept) } });
  // @ts-expect-error a state is no number
  const state: number = transport.state;
  await transport.close();
  await getRpcTransport("rabbit://h/", { drivers: [rabbit] }).close();
  const { topic } = new Target({ topic: "t" });
  try {
    parseConf("[nothing]\\n");
  } catch (error) {
    console.log(topic, error instanceof ConfigurationError, Object.keys(tcpDialers));
  }
  const { rpc: read } = await loadConf("service.conf");
  const missing = await loadConf("no.conf").catch((error) => error);
  console.log(read.url, missing instanceof ConfigurationError, missing.message);`;

describe("jsr.json", { timeout: 60_000 }, () => {
  let jsr: Manifest;
  let npm: Manifest;

  beforeAll(async () => {
    [jsr, npm] = await Promise.all([manifest("jsr.json"), manifest("package.json")]);
  });

  it("jsr.json has the version and licence of package.json", () => {
    expect([jsr.version, jsr.license]).toEqual([npm.version, npm.license]);
  });

  it("jsr.json exports the subpaths that package.json exports to Deno", () => {
    const names = Object.entries(npm.exports).filter(([, conditions]) => Object.hasOwn(Object(conditions), "deno"));
    expect(Object.keys(jsr.exports)).toEqual(names.map(([name]) => name));
  });

  it("jsr.json names files of the build", () => {
    const missing = Object.values(jsr.exports).filter((path) => !existsSync(join(ROOT, String(path))));
    expect(missing).toEqual([]);
  });

  it("Deno runs the files of jsr.json, and finds their types", async () => {
    const folder = await mkdtemp(join(tmpdir(), "oslo-jsr-"));
    const imports = Object.entries(jsr.exports).map(([name, path]) => [
      join("oslo-messaging", name),
      pathToFileURL(join(ROOT, String(path))),
    ]);
    const env = { ...process.env, DENO_DIR: join(folder, "cache"), DENO_NO_UPDATE_CHECK: "1" };
    try {
      await writeFile(join(folder, "deno.json"), JSON.stringify({ imports: Object.fromEntries(imports) }));
      await writeFile(join(folder, "use.ts"), USE);
      await writeFile(join(folder, "service.conf"), "[DEFAULT]\ntransport_url = amqp://read/\n");
      const command = ["run", "--check", "--no-prompt", "--no-remote", "--no-npm", "--allow-read=.", "use.ts"];
      const { stdout } = await promisify(execFile)(deno, command, { cwd: folder, env });
      expect(stdout).toMatch(/^t true \[ "amqp", "amqps" \]\namqp:\/\/read\/ true no\.conf: No such file/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function manifest(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, name), "utf8"));
}
