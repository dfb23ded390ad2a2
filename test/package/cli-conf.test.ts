import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { oslo, Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";
import { projectPath } from "@/test/fixtures/project.js";

const USER = ["--user", "openstack:pa$word"];
const WARNINGS = [
  "warning: [oslo_messaging_amqp] amqp_durable_queues is ignored: only supported by rabbit://\n",
  "warning: [oslo_messaging_amqp] retry_quickly is ignored: unknown option\n",
].join("");

/** Writes a file for one test. Resolves with its path. */
async function file(text: string, name = "service.conf"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "oslo-conf-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe("a service's oslo.config file, with RPC and notifications on two message buses", { timeout: 60_000 }, () => {
  let router: RunningIntermediary;
  let broker: RunningIntermediary;
  let nova: string;

  beforeAll(async () => {
    router = await RunningIntermediary.start("--kind", "router", ...USER);
    broker = await RunningIntermediary.start("--kind", "broker", ...USER);
    const text = await readFile(projectPath("test/data/conf/nova.conf"), "utf8");
    nova = text.replace("@ROUTER@", router.tcp).replace("@BROKER@", broker.tcp);
  }, 60_000);

  afterAll(async () => {
    await router[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
  });

  it("serve, call and cast follow the file: URL, exchange, ping", { tags: ["options:file"] }, async () => {
    const conf = ["--conf", await file(nova)];
    await using server = await Running.ready("serve", ...conf, "--topic", "compute", "--server", "compute-1");
    expect(server.stderr).toContain(WARNINGS);
    expect(await oslo("call", ...conf, "--topic", "compute", "ping")).toEqual({
      status: 0,
      stdout: '"pong from compute-1"\n',
      stderr: WARNINGS,
    });
    expect(await oslo("call", ...conf, "--topic", "compute", "oslo_rpc_server_ping")).toMatchObject({
      status: 0,
      stdout: '"pong"\n',
    });
    expect(await oslo("cast", ...conf, "--topic", "compute", "note", '{"arg":1}')).toMatchObject({ status: 0 });
    // the file's exchange is nova: no server listens in another one
    const elsewhere = ["--exchange", "openstack", "--timeout", "1"];
    expect((await oslo("call", ...conf, "--topic", "compute", ...elsewhere, "ping")).status).toBe(2);
  });

  it("notify and listen follow the file: topics, drivers, another message bus", {
    tags: ["options:file", "options:file:notifications"],
  }, async () => {
    const conf = ["--conf", await file(nova)];
    const event = ["--publisher-id", "compute.compute-1", "--event-type", "compute.instance.create.end"];
    // the broker accepts it without a listener: the router would not
    expect(await oslo("notify", ...conf, ...event, '{"id":1}')).toEqual({ status: 0, stdout: "", stderr: WARNINGS });
    const { status, stdout } = await oslo("listen", ...conf, "--count", "4"); // of two topics, by two drivers
    expect(status).toBe(0);
    const [ready, ...received] = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(ready).toEqual({ ready: true });
    expect(received).toHaveLength(4);
    for (const notification of received)
      expect(notification).toMatchObject({ publisherId: "compute.compute-1", payload: { id: 1 } });
  });

  it("options of the command line override the file", { tags: ["options:file:url"] }, async () => {
    const conf = ["--conf", await file(nova)];
    const mine = [...conf, "--url", `amqp://openstack:pa%24word@${router.tcp}/`, "--topic", "mine"];
    await using listener = await Running.ready("listen", ...mine, "--option", "idle_timeout=3");
    const event = ["--publisher-id", "p", "--event-type", "e", "--driver", "messaging"];
    expect(await oslo("notify", ...mine, ...event, "2")).toMatchObject({ status: 0 });
    const received = await listener.line("a notification", (line) => ("priority" in line ? line : undefined));
    expect(received).toMatchObject({ publisherId: "p", payload: 2 });
  });
});

describe("a file's limits", { timeout: 60_000 }, () => {
  let router: RunningIntermediary;

  beforeAll(async () => {
    router = await RunningIntermediary.start("--kind", "router");
  }, 60_000);

  afterAll(() => router[Symbol.asyncDispose]());

  const conf = async (...lines: readonly string[]): Promise<string[]> => {
    return ["--conf", await file(["[DEFAULT]", `transport_url = amqp://${router.tcp}/`, ...lines, ""].join("\n"))];
  };

  it.each([
    ["1", { status: 2, stdout: "" }],
    ["2", { status: 0, stdout: "null\n" }],
  ])("executor_thread_pool_size = %s limits the requests that serve handles at once", async (size, expected) => {
    const hall = await file(HALL, "hall.mjs");
    const limited = await conf(`executor_thread_pool_size = ${size}`);
    const topic = ["--topic", `hall-${size}`];
    await using server = await Running.ready("serve", ...limited, ...topic, "--server", "s", "--module", hall);
    await using _entering = new Running("call", ...limited, ...topic, "enter");
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain("one is in");
    expect(await oslo("call", ...limited, ...topic, "--timeout", "2", "leave")).toMatchObject(expected);
  });

  it("rpc_response_timeout limits a call, and serve answers pings only with rpc_ping_enabled", async () => {
    const hasty = await conf("rpc_response_timeout = 1");
    const topic = ["--topic", "hasty"];
    await using _server = await Running.ready("serve", ...hasty, ...topic, "--server", "s");
    const { status, stderr } = await oslo("call", ...hasty, ...topic, "slow", '{"secs":50}');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^MessagingTimeout: .*phase reply/);
    // the file does not enable pings
    expect(await oslo("call", ...hasty, ...topic, "oslo_rpc_server_ping")).toMatchObject({ status: 1, stdout: "" });
  });
});

/** A module whose `enter` waits until `leave` is called. */
const HALL = `let leave;
export default {
  enter() {
    console.error("one is in");
    return new Promise((resolve) => { leave = resolve; });
  },
  leave() {
    leave();
  },
};
`;

describe("a file's notification drivers", { timeout: 60_000 }, () => {
  const notify = (conf: string, eventType: string, ...args: readonly string[]) =>
    oslo("notify", "--conf", conf, "--publisher-id", "p", "--event-type", eventType, ...args);

  it("driver = log writes notifications to stderr, and does not connect", async () => {
    const conf = await file(
      "[DEFAULT]\ntransport_url = amqp://127.0.0.1:1/\n[oslo_messaging_notifications]\ndriver = log\n",
    );
    expect(await notify(conf, "e", '{"id":1}')).toEqual({
      status: 0,
      stdout: "",
      stderr: expect.stringMatching(/^info: oslo\.messaging\.notification\.e \{.*"payload":\{"id":1\}.*\}\n$/),
    });
  });

  it("driver = routing sends each notification to the drivers that routing_config names for it", async () => {
    await using broker = await RunningIntermediary.start("--kind", "broker");
    const routing = await file(
      "cloud:\n  log:\n    accepted_events: ['compute.*']\n  messagingv2:\n    accepted_priorities: [error]\n",
      "routing.yaml",
    );
    const conf = await file(`[DEFAULT]
transport_url = amqp://${broker.tcp}/
[oslo_messaging_notifications]
driver = routing
routing_config = ${routing}
`);
    const logged = await notify(conf, "compute.create", "1");
    expect(logged).toMatchObject({ status: 0, stderr: expect.stringMatching(/^info: .*\.compute\.create /m) });
    expect(await notify(conf, "volume.create", "2")).toEqual({ status: 0, stdout: "", stderr: "" });
    const sent = await notify(conf, "volume.lost", "--priority", "error", "3");
    expect(sent).toMatchObject({ status: 0, stderr: expect.not.stringContaining("info:") });
    // it is the broker's first message: the others were not sent
    const { stdout } = await oslo("listen", "--conf", conf, "--count", "1");
    expect(JSON.parse(stdout.split("\n")[1] ?? "")).toMatchObject({ eventType: "volume.lost", payload: 3 });
  });
});

describe("a file with ssl_ca_file", { timeout: 60_000 }, () => {
  const TLS = projectPath("test/data/tls");

  it("ssl_ca_file connects a call with TLS, and without it the server's certificate is not trusted", {
    tags: ["tls:server", "options:file"],
  }, async () => {
    await using router = await RunningIntermediary.start("--kind", "router");
    await using _server = await Running.ready(
      "serve",
      "--url",
      `amqp://${router.tcp}/`,
      "--topic",
      "t",
      "--server",
      "s",
    );
    const port = await tlsInFrontOf(router.tcp);
    const conf = (lines: string) => {
      return file(`[DEFAULT]\ntransport_url = amqp://localhost:${port}/\n[oslo_messaging_amqp]\n${lines}\n`);
    };
    const call = ["--topic", "t", "--timeout", "3", "ping"];
    const trusted = await oslo("call", "--conf", await conf(`ssl_ca_file = ${join(TLS, "ca.pem")}`), ...call);
    expect(trusted).toEqual({ status: 0, stdout: '"pong from s"\n', stderr: "" });
    const untrusted = await oslo("call", "--conf", await conf("ssl = true"), ...call);
    expect(untrusted).toMatchObject({ status: 4, stderr: expect.stringMatching(/certificate|self.signed|verif/i) });
  });

  /** Starts a server that terminates TLS and forwards to `to` in clear. Resolves with its port. */
  async function tlsInFrontOf(to: string): Promise<number> {
    const [cert, key] = await Promise.all(
      ["server-cert.pem", "server-key.pem"].map((name) => readFile(join(TLS, name))),
    );
    const server = createServer({ cert, key }, (stream) => {
      const inner = connect(Number(to.split(":")[1]), "127.0.0.1");
      stream.pipe(inner).pipe(stream);
      for (const one of [stream, inner]) one.on("error", () => [stream, inner].map((both) => both.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    return (server.address() as AddressInfo).port;
  }
});

describe("a file without drivers", { timeout: 60_000 }, () => {
  it("notify sends nothing without a driver in the file, as in oslo, and warns", {
    tags: ["options:file:no-driver"],
  }, async () => {
    const conf = await file("[DEFAULT]\ntransport_url = amqp://127.0.0.1:1/\n");
    expect(await oslo("notify", "--conf", conf, "--publisher-id", "p", "--event-type", "e", "{}")).toEqual({
      status: 0,
      stdout: "",
      stderr: "warning: the file has no notification driver: nothing is sent\n",
    });
  });
});

describe("an invalid file", { timeout: 60_000 }, () => {
  it.each([
    ["an invalid line", "[DEFAULT]\ns3cr3t\n", /line 2: has neither = nor :/],
    ["no URL", "[oslo_messaging_amqp]\n", /\[DEFAULT\] transport_url: is missing/],
    ["a bad value", "[DEFAULT]\ntransport_url=amqp://h/\n[oslo_messaging_amqp]\ntrace=s3\n", /amqp\] trace: must be/],
    [
      "another driver's URL",
      "[DEFAULT]\ntransport_url=kombu+redis://u:s3cr3t@h/\n",
      /"kombu\+redis".*supported schemes/,
    ],
    [
      "an option that rabbit:// refuses",
      "[DEFAULT]\ntransport_url=rabbit://u:s3cr3t@h/\n[oslo_messaging_rabbit]\nrabbit_stream_fanout=true\n",
      /\[oslo_messaging_rabbit\] rabbit_stream_fanout: true is not supported/,
    ],
    [
      "an option of amqp:// in a rabbit:// URL",
      "[DEFAULT]\ntransport_url=rabbit://u:s3cr3t@h/?idle_timeout=5\n",
      /idle_timeout: only supported by amqp:\/\//,
    ],
    [
      "an option of rabbit:// in an amqp:// URL",
      "[DEFAULT]\ntransport_url=amqp://u:s3cr3t@h/?rabbit_quorum_queue=true\n",
      /rabbit_quorum_queue: only supported by rabbit:\/\//,
    ],
    [
      "a missing certificate file",
      "[DEFAULT]\ntransport_url=amqp://h/\n[oslo_messaging_amqp]\nssl_ca_file=/no/ca.pem\n",
      /\[oslo_messaging_amqp\] ssl_ca_file: \/no\/ca\.pem cannot be read: ENOENT/,
    ],
  ])("a file with %s is status 64, and the error names it", async (_problem, text, named) => {
    const { status, stdout, stderr } = await oslo("call", "--conf", await file(text), "--topic", "t", "m");
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toMatch(named);
    expect(stderr).not.toMatch(/s3cr3t|^\s+at /m);
  });

  it("a missing file is status 64, and the error names it", async () => {
    const { status, stderr } = await oslo("listen", "--conf", "/no/nova.conf");
    expect(status).toBe(64);
    expect(stderr).toMatch(/\/no\/nova\.conf: ENOENT/);
  });
});
