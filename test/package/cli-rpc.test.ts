import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Relay } from "@/test/fixtures/network/relay.js";
import { oslo, Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";

const DONE = { status: 0, stderr: "" };

describe.each(["router", "broker"])("call, cast and serve through a %s", { timeout: 60_000 }, (kind) => {
  let intermediary: RunningIntermediary;
  let first: Running;
  let second: Running;
  let tcp: string;
  let ws: string;

  beforeAll(async () => {
    intermediary = await RunningIntermediary.start("--kind", kind);
    tcp = `amqp://${intermediary.tcp}/`;
    ws = `amqp+ws://${intermediary.ws}/`;
    first = await Running.ready("serve", "--url", tcp, "--topic", "t", "--server", "first");
    second = await Running.ready("serve", "--url", ws, "--topic", "t", "--server", "second");
  }, 60_000);

  afterAll(async () => {
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    await intermediary[Symbol.asyncDispose]();
  });

  it("a call prints what the method returned, over TCP and WebSocket", async () => {
    const args = '{"arg":["é",null,{"n":12345678901234567890}]}';
    const stdout = '["é",null,{"n":12345678901234567890}]\n';
    expect(await oslo("call", "--url", tcp, "--topic", "t", "echo", args)).toEqual({ ...DONE, stdout });
    expect(await oslo("call", "--url", ws, "--topic", "t", "echo", args)).toEqual({ ...DONE, stdout });
  });

  it("a call with --server and --context reaches that server, with the context", async () => {
    const { stdout } = await oslo(
      "call",
      "--url",
      ws,
      "--topic",
      "t",
      "--server",
      "first",
      "--context",
      '{"user":"u"}',
      "whoami",
    );
    expect(JSON.parse(stdout)).toEqual({ server: "first", ctxt: { user: "u" } });
  });

  it("a call of a method that returns nothing prints null", async () => {
    const call = ["--topic", "t", "--server", "first", "note", '{"arg":"from a call"}'];
    expect(await oslo("call", "--url", tcp, ...call)).toEqual({ ...DONE, stdout: "null\n" });
    expect(first.stderr).toContain('note to first: "from a call"');
  });

  it("a cast prints nothing, and arrives at its server, or with --fanout at every server", async () => {
    const before = await notes(tcp);
    expect(await oslo("cast", "--url", tcp, "--topic", "t", "--server", "first", "note", '{"arg":1}')).toEqual({
      ...DONE,
      stdout: "",
    });
    expect(await oslo("cast", "--url", ws, "--topic", "t", "--fanout", "note", '{"arg":2}')).toEqual({
      ...DONE,
      stdout: "",
    });
    await expect.poll(() => notes(tcp)).toEqual([(before[0] ?? 0) + 2, (before[1] ?? 0) + 1]);
  });

  it("a remote error is status 1, with type and message on stderr", async () => {
    expect(await oslo("call", "--url", tcp, "--topic", "t", "fail")).toEqual({
      status: 1,
      stdout: "",
      stderr: "ValueError: bad value é\n", // without a traceback: the server is not Python
    });
    expect(await oslo("call", "--url", tcp, "--topic", "t", "absent")).toMatchObject({
      status: 1,
      stderr: "NoSuchMethod: Endpoint does not support RPC method absent\n",
    });
  });

  it("a call without a reply in time is status 2, and the error names the phase and the host", async () => {
    const { status, stderr } = await oslo("call", "--url", tcp, "--topic", "t", "--timeout", "1", "slow", '{"secs":5}');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^MessagingTimeout: .*phase reply.*127\.0\.0\.1:/);
  });

  it("a call may take longer than its monitor timeout when the server works on it", async () => {
    const limits = ["--timeout", "20", "--call-monitor-timeout", "2"];
    const { stdout } = await oslo("call", "--url", tcp, "--topic", "t", ...limits, "slow", '{"secs":3}');
    expect(stdout).toBe('"slept 3"\n');
  });
});

describe("cast --fanout through a router", { timeout: 60_000 }, () => {
  let intermediary: RunningIntermediary;
  let url: string;

  beforeAll(async () => {
    intermediary = await RunningIntermediary.start();
    url = `amqp://${intermediary.tcp}/`;
  }, 60_000);

  afterAll(() => intermediary[Symbol.asyncDispose]());

  it("a fanout to a topic without a server ends when its time has passed, and says so", async () => {
    const fanout = ["cast", "--url", url, "--topic", "t", "--fanout"];
    const { status, stderr } = await oslo(...fanout, "--option", "default_send_timeout=5", "note");
    expect(stderr).toMatch(
      /^debug: discarded a fanout cast to <Target topic=t, fanout=True>: .*no receiver is attached/,
    );
    expect(status).toBe(0);
    expect(await oslo(...fanout, "--timeout", "1", "note")).toMatchObject({ status: 2 });
  });

  it("a fanout waits for a server that starts within its time", async () => {
    const casting = oslo("cast", "--url", url, "--topic", "later", "--fanout", "note", '{"arg":"late"}');
    await using server = await Running.ready("serve", "--url", url, "--topic", "later", "--server", "late");
    expect(await casting).toEqual({ ...DONE, stdout: "" });
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain('note to late: "late"');
  });
});

describe("serve --module", { timeout: 60_000 }, () => {
  let intermediary: RunningIntermediary;
  let directory: string;
  let url: string;

  beforeAll(async () => {
    intermediary = await RunningIntermediary.start();
    url = `amqp://${intermediary.tcp}/`;
    directory = await mkdtemp(join(tmpdir(), "oslo-serve-"));
  }, 60_000);

  afterAll(async () => {
    await intermediary[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const serve = async (topic: string, module: string, ...options: readonly string[]): Promise<Running> => {
    const path = join(directory, `${topic}.mjs`);
    await writeFile(path, module);
    return await Running.ready("serve", "--url", url, "--topic", topic, "--server", "s", "--module", path, ...options);
  };

  it("serve --module serves an endpoint with private members", async () => {
    const module = "class Counter { #n = 0; next() { return ++this.#n; } } export default new Counter();";
    await using _server = await serve("one", module, "--namespace", "counters", "--version", "2.1");
    const target = ["--url", url, "--topic", "one", "--namespace", "counters"];
    expect(await oslo("call", ...target, "--version", "2.0", "next")).toEqual({ ...DONE, stdout: "1\n" });
    expect(await oslo("call", ...target, "--version", "2.2", "next")).toMatchObject({
      status: 1,
      stderr: "UnsupportedVersion: Endpoint does not support RPC version 2.2. Attempted method: next\n",
    });
  });

  it("serve --module serves several endpoints that use classes of this package", async () => {
    const library = JSON.stringify(new URL("../../dist/node.js", import.meta.url).href);
    const module = `import { NoSuchMethod, Target } from ${library};
      export default [
        { target: new Target({ namespace: "a" }), who: () => "a" },
        { target: new Target({ namespace: "b" }), who() { throw new NoSuchMethod("who"); } },
      ];`;
    await using server = await serve("several", module);
    const call = (namespace: string) =>
      oslo("call", "--url", url, "--topic", "several", "--namespace", namespace, "who");
    expect(await call("a")).toEqual({ ...DONE, stdout: '"a"\n' });
    expect(await call("b")).toMatchObject({
      status: 1,
      stderr: "NoSuchMethod: Endpoint does not support RPC method who\n",
    });
    expect(server.stderr).toContain("refused a request"); // not: a method failed
  });

  it("serve answers running requests when it is interrupted, and ends with status 0", async () => {
    const module = `export default {
      hold() {
        process.stderr.write("held");
        return new Promise((resolve) => process.once("SIGINT", () => resolve("answered")));
      },
    };
    setInterval(() => {}, 1_000_000); // must not keep the process alive`;
    await using server = await serve("held", module);
    const call = oslo("call", "--url", url, "--topic", "held", "hold");
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain("held");
    expect(await server.interrupt()).toBe(0);
    expect(await call).toEqual({ ...DONE, stdout: '"answered"\n' });
  });

  it("serve reconnects when the intermediary is back, and logs the lost connection", async () => {
    const other = await RunningIntermediary.start();
    await using network = await Relay.atLocalhost();
    await network.passTo(portOf(other));
    const at = `${network.host}:${network.port}`;
    const args = ["--url", `amqp://${at}/`, "--topic", "t"];
    await using server = await Running.ready("serve", ...args, "--server", "s");
    expect(await other.interrupt()).toBe(0);
    await network.cut();
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain(`warning: not connected to ${at}`);
    await using again = await RunningIntermediary.start("--kind", "broker");
    await network.passTo(portOf(again));
    expect(await oslo("call", ...args, "ping")).toEqual({ ...DONE, stdout: '"pong from s"\n' });
  });
});

function portOf({ tcp }: RunningIntermediary): number {
  return Number(tcp.split(":")[1]);
}

async function notes(url: string): Promise<number[]> {
  const counts = ["first", "second"].map(async (server) => {
    const { stdout } = await oslo("call", "--url", url, "--topic", "t", "--server", server, "counts");
    return JSON.parse(stdout).notes;
  });
  return await Promise.all(counts);
}
