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

/** A file of its own for a test. */
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

  it("drives serve, call and cast: URL, exchange, ping", { tags: ["options:file"] }, async () => {
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
    // its exchange is nova's: nobody listens in another one
    const elsewhere = ["--exchange", "openstack", "--timeout", "1"];
    expect((await oslo("call", ...conf, "--topic", "compute", ...elsewhere, "ping")).status).toBe(2);
  });

  it("drives notify and listen: topics, drivers, a message bus of their own", {
    tags: ["options:file", "options:file:notifications"],
  }, async () => {
    const conf = ["--conf", await file(nova)];
    const what = ["--publisher-id", "compute.compute-1", "--event-type", "compute.instance.create.end"];
    // the broker takes it before anybody listens: the router would not
    expect(await oslo("notify", ...conf, ...what, '{"id":1}')).toEqual({ status: 0, stdout: "", stderr: WARNINGS });
    const { status, stdout } = await oslo("listen", ...conf, "--count", "4"); // of two topics, by two drivers
    expect(status).toBe(0);
    const [ready, ...heard] = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(ready).toEqual({ ready: true });
    expect(heard).toHaveLength(4);
    for (const one of heard) expect(one).toMatchObject({ publisherId: "compute.compute-1", payload: { id: 1 } });
  });

  it("gives way to the command line", { tags: ["options:file:url"] }, async () => {
    const conf = ["--conf", await file(nova)];
    const mine = [...conf, "--url", `amqp://openstack:pa%24word@${router.tcp}/`, "--topic", "mine"];
    await using listener = await Running.ready("listen", ...mine, "--option", "idle_timeout=3");
    const what = ["--publisher-id", "p", "--event-type", "e", "--driver", "messaging"];
    expect(await oslo("notify", ...mine, ...what, "2")).toMatchObject({ status: 0 });
    const heard = await listener.line("a notification", (line) => ("priority" in line ? line : undefined));
    expect(heard).toMatchObject({ publisherId: "p", payload: 2 });
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
  ])("executor_thread_pool_size = %s is how many requests serve handles at once", async (size, expected) => {
    const hall = await file(HALL, "hall.mjs");
    const limited = await conf(`executor_thread_pool_size = ${size}`);
    const topic = ["--topic", `hall-${size}`];
    await using server = await Running.ready("serve", ...limited, ...topic, "--server", "s", "--module", hall);
    await using _entering = new Running("call", ...limited, ...topic, "enter");
    await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain("one is in");
    expect(await oslo("call", ...limited, ...topic, "--timeout", "2", "leave")).toMatchObject(expected);
  });

  it("rpc_response_timeout is how long call waits, and rpc_ping_enabled what serve answers", async () => {
    const hasty = await conf("rpc_response_timeout = 1");
    const topic = ["--topic", "hasty"];
    await using _server = await Running.ready("serve", ...hasty, ...topic, "--server", "s");
    const { status, stderr } = await oslo("call", ...hasty, ...topic, "slow", '{"secs":50}');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^MessagingTimeout: .*phase reply/);
    // nothing of the file enables it
    expect(await oslo("call", ...hasty, ...topic, "oslo_rpc_server_ping")).toMatchObject({ status: 1, stdout: "" });
  });
});

/** One waits in it until another says that he may leave. */
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

  it("log writes to stderr, and connects to nobody", async () => {
    const conf = await file(
      "[DEFAULT]\ntransport_url = amqp://127.0.0.1:1/\n[oslo_messaging_notifications]\ndriver = log\n",
    );
    expect(await notify(conf, "e", '{"id":1}')).toEqual({
      status: 0,
      stdout: "",
      stderr: expect.stringMatching(/^info: oslo\.messaging\.notification\.e \{.*"payload":\{"id":1\}.*\}\n$/),
    });
  });

  it("routing gives each notification to the drivers that routing_config names for it", async () => {
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
    // it is the first that the broker has: the others have not been sent
    const { stdout } = await oslo("listen", "--conf", conf, "--count", "1");
    expect(JSON.parse(stdout.split("\n")[1] ?? "")).toMatchObject({ eventType: "volume.lost", payload: 3 });
  });
});

describe("a file with ssl_ca_file", { timeout: 60_000 }, () => {
  const TLS = projectPath("test/data/tls");

  it("drives a call by TLS, and one without it is not enough for a server that nobody knows", {
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
    const known = await oslo("call", "--conf", await conf(`ssl_ca_file = ${join(TLS, "ca.pem")}`), ...call);
    expect(known).toEqual({ status: 0, stdout: '"pong from s"\n', stderr: "" });
    const unknown = await oslo("call", "--conf", await conf("ssl = true"), ...call);
    expect(unknown).toMatchObject({ status: 4, stderr: expect.stringMatching(/certificate|self.signed|verif/i) });
  });

  /** Ends TLS, and goes on in clear to `to`. */
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
  it("sends no notification, as in oslo, and says so", { tags: ["options:file:no-driver"] }, async () => {
    const conf = await file("[DEFAULT]\ntransport_url = amqp://127.0.0.1:1/\n");
    expect(await oslo("notify", "--conf", conf, "--publisher-id", "p", "--event-type", "e", "{}")).toEqual({
      status: 0,
      stdout: "",
      stderr: "warning: the file names no driver: nothing is sent\n",
    });
  });
});

describe("a file that cannot be used is status 64, and named where it is wrong", { timeout: 60_000 }, () => {
  it.each([
    ["a line that is none", "[DEFAULT]\ns3cr3t\n", /line 2: has neither = nor :/],
    ["no URL", "[oslo_messaging_amqp]\n", /\[DEFAULT\] transport_url: is missing/],
    ["a bad value", "[DEFAULT]\ntransport_url=amqp://h/\n[oslo_messaging_amqp]\ntrace=s3\n", /amqp\] trace: must be/],
    ["another driver's URL", "[DEFAULT]\ntransport_url=rabbit://u:s3cr3t@h/\n", /"rabbit".*supported schemes/],
    [
      "a certificate that is not there",
      "[DEFAULT]\ntransport_url=amqp://h/\n[oslo_messaging_amqp]\nssl_ca_file=/no/ca.pem\n",
      /\[oslo_messaging_amqp\] ssl_ca_file: \/no\/ca\.pem cannot be read: ENOENT/,
    ],
  ])("%s", async (_what, text, named) => {
    const { status, stdout, stderr } = await oslo("call", "--conf", await file(text), "--topic", "t", "m");
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toMatch(named);
    expect(stderr).not.toMatch(/s3cr3t|^\s+at /m);
  });

  it("also when it is not there", async () => {
    const { status, stderr } = await oslo("listen", "--conf", "/no/nova.conf");
    expect(status).toBe(64);
    expect(stderr).toMatch(/\/no\/nova\.conf: ENOENT/);
  });
});
