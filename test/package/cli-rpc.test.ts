import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oslo, Running, RunningIntermediary } from "./command.js";

const DONE = { status: 0, stderr: "" };

describe.each(["router", "broker"])("call, cast and serve through a %s", (kind) => {
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
  });

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

  it("a call reaches the server it names, with the context", async () => {
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

  it("a cast prints nothing and arrives; with --fanout at every server", async () => {
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
      stderr: "ValueError: bad value é\n",
    });
    expect(await oslo("call", "--url", tcp, "--topic", "t", "absent")).toMatchObject({
      status: 1,
      stderr: "NoSuchMethod: Endpoint does not support RPC method absent\n",
    });
  });

  it("no reply in time is status 2, naming what was waited for and where", async () => {
    const { status, stderr } = await oslo("call", "--url", tcp, "--topic", "t", "--timeout", "1", "slow", '{"secs":5}');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^MessagingTimeout: .*phase reply.*127\.0\.0\.1:/);
  });

  it("a call may take longer than its monitor timeout when the server works on it", async () => {
    const limits = ["--timeout", "20", "--call-monitor-timeout", "2"];
    const { stdout } = await oslo("call", "--url", tcp, "--topic", "t", ...limits, "slow", '{"secs":3}');
    expect(stdout).toBe('"slept 3"\n');
  });

  it("a server that is interrupted answers what it has in hand, and ends with status 0", async () => {
    await using server = await Running.ready("serve", "--url", tcp, "--topic", "leaving", "--server", "s");
    const call = oslo("call", "--url", tcp, "--topic", "leaving", "slow", '{"secs":1}');
    await oslo("call", "--url", tcp, "--topic", "leaving", "ping"); // comes after the other one has been connected for long
    expect(await server.interrupt()).toBe(0);
    expect(await call).toEqual({ ...DONE, stdout: '"slept 1"\n' });
  });
});

async function notes(url: string): Promise<number[]> {
  const counts = ["first", "second"].map(async (server) => {
    const { stdout } = await oslo("call", "--url", url, "--topic", "t", "--server", server, "counts");
    return JSON.parse(stdout).notes;
  });
  return await Promise.all(counts);
}
