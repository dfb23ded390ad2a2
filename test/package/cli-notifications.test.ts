import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oslo, Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";
import { projectPath } from "@/test/fixtures/project.js";

const DONE = { status: 0, stdout: "", stderr: "" };

/** The warning to the operator. */
const STORES_NOTHING = /^warning: notifications go through a router, oslo-messaging-router at 127\.0\.0\.1:\d+, .*\n$/;

describe.each(["router", "broker"])("notify and listen through a %s", { timeout: 60_000 }, (kind) => {
  const done = { ...DONE, stderr: kind === "router" ? expect.stringMatching(STORES_NOTHING) : "" };
  let intermediary: RunningIntermediary;
  let url: string;

  beforeAll(async () => {
    intermediary = await RunningIntermediary.start("--kind", kind);
    url = `amqp+ws://${intermediary.ws}/`;
  }, 60_000);

  afterAll(async () => {
    await intermediary[Symbol.asyncDispose]();
  });

  const notify = (topic: string, ...args: readonly string[]) =>
    oslo("notify", "--url", url, "--topic", topic, "--publisher-id", "p", "--event-type", "e", ...args);

  it("listen prints what notify sends, of every priority, with and without the envelope", async () => {
    await using listener = await Running.ready("listen", "--url", url, "--topic", "a");
    expect(await notify("a", "--context", '{"user":"u"}', '{"id":1}')).toEqual(done);
    expect(await notify("a", "--priority", "audit", "--driver", "messaging", "[2]")).toEqual(done);
    expect(await notification(listener)).toEqual({
      priority: "info",
      context: { user: "u" },
      publisherId: "p",
      eventType: "e",
      payload: { id: 1 },
      metadata: { messageId: expect.any(String), timestamp: expect.any(String) },
    });
    expect(await notification(listener)).toMatchObject({ priority: "audit", context: {}, payload: [2] });
    expect(await listener.interrupt()).toBe(0);
  });

  it("listen refuses a pool with status 64, once it knows that the bus is not RabbitMQ", async () => {
    const { status, stdout, stderr } = await oslo("listen", "--url", url, "--topic", "a", "--pool", "p");
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toContain("pool: is only supported by RabbitMQ");
  });

  it("listen receives only the priorities and topics of its options", async () => {
    const priorities = ["--priority", "error", "--priority", "critical"];
    await using listener = await Running.ready("listen", "--url", url, "--topic", "b", "--topic", "c", ...priorities);
    const unreceived = notify("b", "--priority", "info", "--timeout", "1", "0");
    expect(await notify("b", "--priority", "error", "1")).toEqual(done);
    expect(await notify("c", "--priority", "critical", "2")).toEqual(done);
    expect(await notification(listener)).toMatchObject({ priority: "error", payload: 1 });
    expect(await notification(listener)).toMatchObject({ priority: "critical", payload: 2 });
    expect((await unreceived).status).toBe(kind === "broker" ? 0 : 2);
  });
});

/** The lines that listen prints. */
const PRINTED = new RegExp(
  '^{"ready":true}\n({"priority":"info","context":{},"publisherId":"p","eventType":"e","payload":[123],' +
    '"metadata":{"messageId":"[^"]+","timestamp":"[^"]+"}}\n)+$',
);

describe("listen --count", { timeout: 60_000 }, () => {
  it("listen --count prints that many notifications, ends with status 0, and loses no others", async () => {
    await using intermediary = await RunningIntermediary.start("--kind", "broker");
    const url = `amqp://${intermediary.tcp}/`;
    const send = (payload: string) => oslo("notify", "--url", url, "--publisher-id", "p", "--event-type", "e", payload);
    for (const payload of ["1", "2", "3"]) expect(await send(payload)).toEqual(DONE);
    const received: unknown[] = [];
    for (const count of ["1", "2"]) {
      const { status, stdout } = await oslo("listen", "--url", url, "--count", count);
      const [ready, ...notifications] = stdout
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
      expect([status, ready, notifications.length]).toEqual([0, { ready: true }, Number(count)]);
      expect(stdout).toMatch(PRINTED);
      received.push(...notifications);
    }
    expect(received.map((line) => (line as { payload: number }).payload).sort()).toEqual([1, 2, 3]);
  });
});

describe("a notification without a listener", { timeout: 60_000 }, () => {
  it("a notification that a router cannot deliver is status 3, and the error names address and host", async () => {
    await using intermediary = await RunningIntermediary.start("--kind", "router");
    const limits = ["--option", "default_notify_timeout=5"];
    const args = ["--url", `amqp://${intermediary.tcp}/`, "--publisher-id", "p", "--event-type", "e"];
    const { status, stderr } = await oslo("notify", ...args, ...limits, "{}");
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^MessageDeliveryFailure: .*phase credit.*openstack.org\/om\/notify\/anycast\/.*127\.0\.0\.1:/m,
    );
  });
});

describe("notify --driver log", { timeout: 60_000 }, () => {
  it("notify --driver log writes to stderr, with passwords masked, and does not connect", async () => {
    const args = ["--url", "amqp://127.0.0.1:1/", "--publisher-id", "p", "--event-type", "e"];
    const { status, stdout, stderr } = await oslo("notify", ...args, "--driver", "log", '{"id":1,"password":"s3cret"}');
    expect([status, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^info: oslo\.messaging\.notification\.e \{.*"payload":\{"id":1,"password":"\*\*\*"\}.*\}\n$/,
    );
  });
});

describe("listen", { timeout: 60_000 }, () => {
  it("listen ends with status 0 when its stdout is closed", async () => {
    await using intermediary = await RunningIntermediary.start("--kind", "broker");
    const url = `amqp://${intermediary.tcp}/`;
    const cli = projectPath("dist/cli.js");
    const listener = spawn(process.execPath, [cli, "listen", "--url", url], { stdio: ["ignore", "pipe", "ignore"] });
    const ended = once(listener, "exit");
    await once(listener.stdout, "data");
    listener.stdout.destroy();
    await oslo("notify", "--url", url, "--publisher-id", "p", "--event-type", "e", "1");
    expect(await ended).toEqual([0, null]);
  });
});

function notification(listener: Running): Promise<Readonly<Record<string, unknown>>> {
  return listener.line("a notification", (line) => ("priority" in line ? line : undefined));
}
