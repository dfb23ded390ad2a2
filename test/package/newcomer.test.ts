import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PackageRegistry } from "@/test/fixtures/network/package-registry.js";
import { Child } from "@/test/fixtures/processes/child.js";
import { ROOT } from "@/test/fixtures/project.js";

const run = promisify(execFile);

/** The README's first example. */
const [, example = ""] = /```js\n(.*?)```/s.exec(await readFile(join(ROOT, "README.md"), "utf8")) ?? [];

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare"];

describe("a newcomer with an empty folder", { timeout: 60_000 }, () => {
  let parent: string;
  let folder: string;
  let installed: { stdout: string; stderr: string };

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "oslo-newcomer-"));
    folder = join(parent, "app");
    await mkdir(folder);
    // npm's prepack would build, while other tests use dist
    const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", parent];
    const { stdout: tarball } = await run("npm", pack, { cwd: ROOT });
    await using registry = await PackageRegistry.start();
    const env = {
      ...process.env,
      npm_config_registry: registry.url,
      npm_config_cache: join(parent, "cache"),
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_update_notifier: "false",
    };
    installed = await run("npm", ["install", join("..", tarball.trim())], { cwd: folder, env });
  }, 120_000);

  afterAll(() => rm(parent, { recursive: true, force: true }));

  test("npm installs the package without a warning, for it has no install scripts", async () => {
    expect(installed.stderr).toBe("");
    const manifest = await readFile(join(folder, "node_modules/oslo-messaging/package.json"), "utf8");
    const { scripts } = JSON.parse(manifest) as { scripts: Record<string, string> };
    expect(INSTALL_SCRIPTS.filter((name) => name in scripts)).toEqual([]);
  });

  test("the README's first example prints its sum", async () => {
    await using intermediary = await startIntermediary();
    await using program = await startProgram(example, `amqp://${intermediary.host}/`);
    expect(await program.waitFor("the sum", (line) => line)).toBe("5");
    expect(await program.exited).toBe(0);
    expect(program.stderr).toBe("");
  });

  test("the driver of RabbitMQ is the same in every runtime: Node accepts it, too", async () => {
    const text = `
      import { getRpcTransport } from "oslo-messaging";
      import { rabbit } from "oslo-messaging/rabbit";
      const transport = getRpcTransport("rabbit://localhost/", { drivers: [rabbit] });
      console.log(rabbit.name, transport.state.type);
      await transport.close();`;
    await using program = await startProgram(text, "");
    expect(await program.waitFor("the name of the driver", (line) => line)).toBe("rabbit idle");
    expect(await program.exited).toBe(0);
  });

  test("an endpoint's exception is on the console, with the line that threw it", async () => {
    const faulty = example.replace("=> a + b", "=> a + c");
    await using intermediary = await startIntermediary();
    await using program = await startProgram(faulty, `amqp://${intermediary.host}/`);
    expect(await program.exited).not.toBe(0);
    expect(program.stderr).toMatch(/ReferenceError: c is not defined\n +at .*node\.mjs:\d+/);
  });

  test("a wrong password is on the console at the first attempt, with the user and the host but not the password", async () => {
    await using intermediary = await startIntermediary("--user", "nova:right");
    await using program = await startProgram(example, `amqp://nova:wrong-one@${intermediary.host}/`);
    await expect.poll(() => program.stderr, { timeout: 20_000 }).toContain(intermediary.host);
    expect(program.stderr).toMatch(/nova/);
    expect(program.stderr).toMatch(/refused|authentication/i);
    expect(program.stderr).not.toMatch(/wrong-one|more since/);
  });

  /** Runs the installed command until the test ends. */
  async function startIntermediary(...args: readonly string[]): Promise<Child & { host: string }> {
    const command = groupOf(["npx", "--offline", "oslo-messaging", "intermediary", ...args]);
    const child = new Child({ name: "the intermediary", command, cwd: folder });
    const port = await child.waitForJson("its port", ({ tcp }) => tcp);
    return Object.assign(child, { host: `127.0.0.1:${port}` });
  }

  async function startProgram(text: string, url: string): Promise<Child> {
    await writeFile(join(folder, "node.mjs"), text);
    const command = groupOf([process.execPath, "node.mjs"]);
    return new Child({ name: "node.mjs", command, cwd: folder, env: { TRANSPORT_URL: url } });
  }
});

/** The command in a process group, all of which ends when standard input ends: npx does not pass signals on. */
function groupOf(command: readonly string[]): readonly [string, ...string[]] {
  const script = 'exec 3<&0; setsid "$@" & pid=$!; (cat <&3; kill -- -$pid) >/dev/null 2>&1 & wait $pid';
  return ["sh", "-c", script, "sh", ...command];
}
