import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RABBITMQ_VERSIONS } from "@/test/fixtures/beds/rabbitmq-installation.js";
import { oslo, Running } from "@/test/fixtures/processes/command.js";
import { PythonClient, PythonListener, PythonNotifier, PythonServer } from "@/test/fixtures/python/python.js";

/** The line that names the exchange. */
const DEFAULT_EXCHANGE = /^info: the exchange is openstack, the default; [^\n]*\n$/;
const DONE = { status: 0, stdout: "", stderr: "" };

let bed: RabbitMqBed;

beforeAll(async () => {
  bed = await rabbitMqBed("3.10.8");
});

/** The names of all exchanges and queues of the virtual host. */
async function entities(): Promise<string> {
  return await bed.node.evaluate(
    `string:join(lists:sort([binary_to_list(N) || {resource, V, _, N} <-
       rabbit_exchange:list_names() ++ rabbit_amqqueue:list_names(), V =:= <<"${bed.virtualHost}">>]), " ").`,
  );
}

/** Adds a user with these permissions to configure, write and read. Returns the transport URL. */
async function userWith(...permissions: readonly [string, string, string]): Promise<string> {
  const name = uniqueTopic("user");
  const regexps = permissions.map((regexp) => `<<"${regexp}">>`).join();
  await bed.node.evaluate(
    `ok = rabbit_auth_backend_internal:add_user(<<"${name}">>, <<"pw">>, <<"tests">>),
     ok = rabbit_auth_backend_internal:set_permissions(<<"${name}">>, <<"${bed.virtualHost}">>, ${regexps}, <<"tests">>).`,
  );
  return bed.url.replace("guest:guest", `${name}:pw`);
}

/** Writes a file, which is deleted after the test. */
async function tempFile(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "oslo-rabbit-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe.each(RABBITMQ_VERSIONS)("the command and Python's oslo.messaging through RabbitMQ %s", (version) => {
  const topic = { python: uniqueTopic("python"), ours: uniqueTopic("ours") };
  let bed: RabbitMqBed;
  let pythonServer: PythonServer;
  let pythonClient: PythonClient;
  let pythonListener: PythonListener;
  let pythonNotifier: PythonNotifier;
  let server: Running;

  beforeAll(async () => {
    bed = await rabbitMqBed(version);
    [pythonServer, pythonClient, pythonListener, pythonNotifier, server] = await Promise.all([
      PythonServer.start({ url: bed.url, topic: topic.python, server: "python" }),
      PythonClient.start(bed.url),
      PythonListener.start(bed.url, topic.python),
      PythonNotifier.start(bed.url),
      Running.ready("serve", "--url", bed.url, "--topic", topic.ours, "--server", "ours"),
    ]);
  });

  afterAll(async () => {
    const peers = [pythonServer, pythonClient, pythonListener, pythonNotifier];
    await Promise.all([...peers.map((peer) => peer?.stop()), server?.interrupt()]);
  });

  const python = (command: string, ...args: readonly string[]) =>
    oslo(command, "--url", bed.url, "--topic", topic.python, "--exchange", "openstack", ...args);

  test("the command call prints the answer of a Python server over rabbit", async () => {
    const args = ["--server", "python", "--version", "1.0", "--context", '{"user":"ü"}', "whoami"];
    expect(await python("call", ...args)).toEqual({
      ...DONE,
      stdout: expect.stringMatching(/^{"server":"python","ctxt":{"user":"ü"[^}]*}}\n$/), // this Python adds client_timeout
    });
  });

  test("a Python client is answered by the command serve over rabbit", async () => {
    const target = { topic: topic.ours, server: "ours", version: "1.0" };
    const answer = pythonClient.call({ target, method: "whoami", context: { user: "ü" } });
    await expect(answer).resolves.toEqual({ server: "ours", ctxt: { user: "ü" } });
  });

  test("the command call prints a Python error over rabbit, with status 1", async () => {
    expect(await python("call", "fail", '{"kind":"custom"}')).toEqual({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(/^PeerError: custom trouble\nTraceback \(most recent call last\):\n/),
    });
  });

  test("a method that a Python server does not have is status 1 over rabbit, and the error names it", async () => {
    const { status, stderr } = await python("call", "nothing");
    expect([status, stderr]).toEqual([1, expect.stringContaining("Endpoint does not support RPC method nothing")]);
  });

  test("a Python client gets the error of a method that the command serve does not have", async () => {
    const answer = pythonClient.call({ target: { topic: topic.ours }, method: "nothing" });
    await expect(answer).rejects.toThrow("nothing");
  });

  test("the heartbeats of a Python server over rabbit carry a call beyond its monitor's time", async () => {
    const args = ["--call-monitor-timeout", "2", "--timeout", "30", "slow", '{"secs":3.5}'];
    expect(await python("call", ...args)).toMatchObject({ status: 0, stderr: "" });
  });

  test("a call over rabbit whose topic has no server is status 2", async () => {
    const args = [
      "--url",
      bed.url,
      "--topic",
      uniqueTopic("unserved"),
      "--exchange",
      "openstack",
      "--timeout",
      "1",
      "ping",
    ];
    expect(await oslo("call", ...args)).toMatchObject({ status: 2, stdout: "" });
  });

  test("the command cast reaches one Python server over rabbit, and all with --fanout", async () => {
    expect(await python("cast", "--server", "python", "note", '{"arg":"to one"}')).toEqual(DONE);
    const fanout = ["--url", bed.url, "--topic", topic.python, "--fanout", "note", '{"arg":"to all"}'];
    expect(await oslo("cast", ...fanout)).toEqual(DONE); // no exchange is used, so none is named
    await Promise.all([pythonServer.noted("to one"), pythonServer.noted("to all")]);
  });

  test("a Python fanout reaches the command serve over rabbit", async () => {
    await pythonClient.cast({ target: { topic: topic.ours, fanout: true }, method: "note", args: { arg: "to all" } });
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain('note to ours: "to all"');
  });

  test("a Python listener gets the notification of the command notify over rabbit", async () => {
    const about = ["--publisher-id", "command", "--event-type", "told", "--priority", "warn"];
    expect(await python("notify", ...about, "--context", '{"user":"ü"}', '["é",1]')).toEqual(DONE);
    await expect(pythonListener.saw("told")).resolves.toMatchObject({
      priority: "warn",
      context: { user: "ü" },
      publisherId: "command",
      payload: ["é", 1],
    });
  });

  test("a Python listener gets a notification of the command notify without envelope, and one that it requeues again", async () => {
    const about = ["--publisher-id", "command", "--driver", "messaging"];
    expect(await python("notify", ...about, "--event-type", "plain", "{}")).toEqual(DONE);
    await pythonListener.saw("plain");
    expect(await python("notify", ...about, "--event-type", "again", '{"requeue":true}')).toEqual(DONE);
    await pythonListener.saw("again");
    await pythonListener.saw("again");
  });

  test.each(["messaging", "messagingv2"] as const)(
    "the command listen prints a Python notification of the driver %s that was sent before a listener existed",
    async (driver) => {
      const early = uniqueTopic("early");
      const about = { publisherId: "python", eventType: "early", payload: { driver }, context: {} };
      await pythonNotifier.notify({ driver, topic: early, priority: "info", ...about });
      const { status, stdout } = await oslo("listen", "--url", bed.url, "--topic", early, "--count", "1");
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      // The notification may come before the line that tells of readiness.
      const line = lines.find((line) => "priority" in line);
      expect(status).toBe(0);
      expect(line).toMatchObject({ priority: "info", publisherId: "python", eventType: "early", payload: { driver } });
    },
  );

  test("the command listen prints a Python notification over rabbit, each pool its copy, and ends after --count", async () => {
    const heard = uniqueTopic("heard");
    const args = ["--url", bed.url, "--topic", heard, "--count", "1"];
    await using listener = await Running.ready("listen", ...args);
    await using pool = await Running.ready("listen", ...args, "--pool", uniqueTopic("pool"));
    const about = { publisherId: "python", eventType: "heard", payload: ["é", 1], context: { user: "ü" } };
    await pythonNotifier.notify({ driver: "messagingv2", topic: heard, priority: "warn", ...about });
    const metadata = { messageId: expect.any(String), timestamp: expect.any(String) };
    for (const each of [listener, pool]) {
      const line = await each.line("the notification", (line) => ("priority" in line ? line : undefined));
      expect(line).toEqual({ priority: "warn", metadata, ...about });
      expect(await each.ended).toBe(0);
      expect(each.stderr).toMatch(DEFAULT_EXCHANGE);
    }
  });

  test("the commands read a service's file with [oslo_messaging_rabbit], as Python's server with the same options", async () => {
    const group = { amqp_durable_queues: "true", rabbit_login_method: "PLAIN", heartbeat_timeout_threshold: "30" };
    const lines = [
      `[DEFAULT]\ntransport_url = ${bed.url}\ncontrol_exchange = nova\nrpc_response_timeout = 20`,
      "[oslo_messaging_rabbit]",
      ...Object.entries(group).map(([name, value]) => `${name} = ${value}`),
      "[oslo_messaging_notifications]\ndriver = messagingv2\ntopics = durable-events",
    ];
    const conf = await tempFile("nova.conf", lines.join("\n"));
    const durable = uniqueTopic("durable");
    const init = { url: bed.url, topic: durable, server: "python", exchange: "nova", options: group };
    await using _server = await PythonServer.start(init);
    const ping = await oslo("call", "--conf", conf, "--topic", durable, "--server", "python", "ping");
    expect(ping).toEqual({ ...DONE, stdout: '"pong from python"\n' });
    await using listener = await Running.ready("listen", "--conf", conf, "--count", "1");
    const about = ["--publisher-id", "command", "--event-type", "told"];
    expect(await oslo("notify", "--conf", conf, ...about, "{}")).toEqual(DONE);
    expect(await listener.ended).toBe(0);
    const { status, stdout } = await oslo("check", "--conf", conf, "--topic", durable, "--json");
    const { report, warnings } = JSON.parse(stdout);
    const deprecation = expect.stringMatching(/^RabbitMQ 4\..* set rabbit_transient_quorum_queue in every service$/);
    expect({ status, warnings }).toEqual({ status: 0, warnings: version === "4" ? [deprecation] : [] });
    expect(report).toMatchObject({
      mechanism: "PLAIN",
      heartbeatMs: 30_000,
      declared: [
        { kind: "exchange", name: "nova", state: "declared" },
        { kind: "queue", name: durable, state: "declared" },
        { kind: "exchange", name: `${durable}_fanout`, state: "declared" },
      ],
    });
  });
});

describe("the commands against each other through RabbitMQ", () => {
  test("a request reaches a server in its exchange only, and a line names the default exchange", async () => {
    const topic = uniqueTopic("exchange");
    const at = ["--url", bed.url, "--topic", topic];
    await using server = await Running.ready("serve", ...at, "--exchange", topic, "--server", "s");
    const ping = await oslo("call", ...at, "--exchange", topic, "ping");
    expect(ping).toEqual({ ...DONE, stdout: '"pong from s"\n' });
    const lost = await oslo("call", ...at, "--timeout", "1", "ping");
    expect({ status: lost.status, stdout: lost.stdout }).toEqual({ status: 2, stdout: "" });
    const [first = ""] = lost.stderr.split(/(?<=\n)/);
    expect(first).toMatch(DEFAULT_EXCHANGE);
    expect(await server.interrupt()).toBe(0);
  });

  test("notify and listen use the exchange that they are given", async () => {
    const topic = uniqueTopic("notify");
    const at = ["--url", bed.url, "--topic", topic, "--exchange", topic];
    await using listener = await Running.ready("listen", ...at);
    expect(await oslo("notify", ...at, "--publisher-id", "p", "--event-type", "e", "1")).toEqual(DONE);
    await listener.line("the notification", ({ payload }) => payload);
    expect(await listener.interrupt()).toBe(0);
    expect(listener.stderr).not.toContain("the exchange is");
  });

  test("Ctrl-C ends the command serve after the request in hand, with status 0", async () => {
    const slow =
      'async slow() { console.error("begun"); await new Promise((end) => setTimeout(end, 2_000)); return 1; }';
    const module = await tempFile("endpoint.mjs", `export default { ${slow} };`);
    const at = ["--url", bed.url, "--topic", uniqueTopic("slow"), "--exchange", "e"];
    await using server = await Running.ready("serve", ...at, "--server", "s", "--module", module);
    const calling = oslo("call", ...at, "slow");
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain("begun");
    const ended = server.interrupt();
    expect(await calling).toEqual({ ...DONE, stdout: "1\n" });
    expect(await ended).toBe(0);
  });

  test.each([
    ["a wrong password", (url: string) => url.replace("guest@", "wrong@"), /AMQPLAIN of user "guest" failed/],
    ["a missing virtual host", (url: string) => `${url}-missing`, /vhost \S+-missing not found/],
  ])("%s is status 4, and the error names it", async (_what, edit, named) => {
    const url = edit(bed.url);
    const { status, stdout, stderr } = await oslo("call", "--url", url, "--topic", "t", "--timeout", "3", "ping");
    expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
    expect(stderr).toMatch(named);
    expect(stderr).not.toMatch(/wrong\b/);
  });

  test("a user without permissions is status 3 for cast, notify, serve and listen, and the error names the permission", async () => {
    const url = await userWith("^$", "^$", "^$");
    const at = ["--url", url, "--exchange", uniqueTopic("forbidden"), "--topic", "t"];
    const commands = [
      ["cast", ...at, "ping"],
      ["notify", ...at, "--publisher-id", "p", "--event-type", "e", "1"],
      ["serve", ...at, "--server", "s"],
      ["listen", ...at],
    ];
    for (const { status, stdout, stderr } of await Promise.all(commands.map((args) => oslo(...args)))) {
      expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
      expect(stderr).toMatch(/the user has no permission "configure" on exchange \S*forbidden/);
    }
  });
});

describe("check of a RabbitMQ", () => {
  const GOOD = [
    { name: "fanout", ok: true, detail: "both servers got the message" },
    { name: "a request to any server", ok: true, detail: "one server got the message" },
    { name: "a request to one server", ok: true, detail: "one server got the message" },
    { name: "replies", ok: true, detail: "a message to the reply queue came" },
    { name: "notifications", ok: true, detail: "a notification waited for its listener" },
  ];

  test("check finds nothing wrong with a new virtual host, and leaves nothing behind", {
    tags: ["check:good"],
  }, async () => {
    const before = await entities();
    const { status, stdout, stderr } = await oslo("check", "--url", bed.url, "--json");
    const { report, ...found } = JSON.parse(stdout);
    expect(found).toEqual({ checks: GOOD, warnings: [] });
    expect(report).toEqual({
      protocol: "AMQP 0-9-1",
      host: `${bed.node.address.host}:${bed.node.address.port}`,
      encrypted: false,
      mechanism: "AMQPLAIN",
      product: "RabbitMQ",
      version: "3.10.8",
      virtualHost: bed.virtualHost,
      heartbeatMs: 60_000,
      roundTripMs: expect.any(Number),
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(await entities()).toBe(before);
  });

  test("check prints text about RabbitMQ unless --json is given", { tags: ["check:text"] }, async () => {
    const { status, stdout } = await oslo("check", "--url", bed.url, "--option", "heartbeat_timeout_threshold=0");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^product +RabbitMQ 3\.10\.8$/m);
    expect(stdout).toMatch(new RegExp(`^virtual host +${bed.virtualHost}$`, "m"));
    expect(stdout).toMatch(/^heartbeat +none$/m);
    expect(stdout).toMatch(/^ok +replies: a message to the reply queue came$/m);
  });

  test.each([
    [
      "configure",
      ["^$", ".*", ".*"],
      [
        /"configure" on exchange o/,
        /"configure" on exchange o/,
        /"configure" on exchange o/,
        /"configure" on queue reply_/,
        /"configure" on exchange o/,
      ],
    ],
    [
      "write",
      [".*", "^$", ".*"],
      [
        /"write" on queue o/,
        /"write" on queue o/,
        /"write" on queue o/,
        /"write" on the default exchange/,
        /"write" on queue o/,
      ],
    ],
    [
      "write to the default exchange",
      [".*", "^oslo-", ".*"],
      [undefined, undefined, undefined, /"write" on the default exchange/, undefined],
    ],
    [
      "read",
      [".*", ".*", "^$"],
      [
        /"read" on exchange o/,
        /"read" on exchange o/,
        /"read" on exchange o/,
        /"read" on queue reply_/,
        /"read" on exchange o/,
      ],
    ],
  ] satisfies readonly [string, [string, string, string], (RegExp | undefined)[]][])(
    "check names the missing permission to %s and the command that grants it, and leaves nothing behind",
    { tags: ["check:lacking"] },
    async (_what, permissions, details) => {
      const url = await userWith(...permissions);
      const before = await entities();
      const { status, stdout } = await oslo("check", "--url", url, "--json");
      const { checks } = JSON.parse(stdout);
      const expected = details.map((detail) =>
        detail === undefined
          ? expect.objectContaining({ ok: true })
          : expect.objectContaining({
              ok: false,
              detail: expect.stringMatching(detail),
              advice: expect.stringMatching(
                new RegExp(`^rabbitmqctl set_permissions -p ${bed.virtualHost} \\S*user\\S* CONFIGURE WRITE READ `),
              ),
            }),
      );
      expect(checks).toEqual(expected);
      expect(status).toBe(5);
      expect(await entities()).toBe(before);
    },
  );

  test("check names a queue that is declared otherwise, and an exchange that is missing", {
    tags: ["check:lacking"],
  }, async () => {
    const topic = uniqueTopic("other");
    await using server = await Running.ready(
      "serve",
      "--url",
      bed.url,
      "--topic",
      topic,
      "--exchange",
      topic,
      "--server",
      "s",
    );
    const durable = ["--option", "amqp_durable_queues=true"];
    const { status, stdout } = await oslo(
      "check",
      "--url",
      bed.url,
      "--json",
      "--topic",
      topic,
      "--exchange",
      topic,
      ...durable,
    );
    const { checks } = JSON.parse(stdout);
    const advice = expect.stringContaining("amqp_durable_queues");
    expect(checks).toEqual([
      ...GOOD,
      {
        name: `exchange ${topic}`,
        ok: false,
        detail: expect.stringMatching(/^exists, declared otherwise: .*inequivalent arg 'durable'/),
        advice,
      },
      {
        name: `queue ${topic}`,
        ok: false,
        detail: expect.stringMatching(/^exists, declared otherwise: .*inequivalent arg 'durable'/),
        advice,
      },
      { name: `exchange ${topic}_fanout`, ok: true, detail: "exists, declared as the options say" },
    ]);
    expect(status).toBe(5);
    const missing = await oslo(
      "check",
      "--url",
      bed.url,
      "--json",
      "--topic",
      topic,
      "--server",
      "s",
      "--exchange",
      "missing",
    );
    expect(JSON.parse(missing.stdout).checks.slice(5)).toEqual([
      { name: "exchange missing", ok: false, detail: "does not exist", advice: expect.stringContaining("--exchange") },
      { name: `queue ${topic}`, ok: true, detail: "exists, declared as the options say" },
      { name: `queue ${topic}.s`, ok: true, detail: "exists, declared as the options say" },
    ]);
    expect(await server.interrupt()).toBe(0);
  });

  test("check interrupted by Ctrl-C is status 130, and leaves nothing behind", async () => {
    const before = await entities();
    await using running = new Running("check", "--url", bed.url);
    await expect.poll(entities, { interval: 20, timeout: 20_000 }).toContain("oslo-messaging-check");
    expect(await running.interrupt()).toBe(130);
    expect(await entities()).toBe(before);
  });
});
