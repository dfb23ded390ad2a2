import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { parseRabbitOptions } from "@/src/driver/rabbit/options.js";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCClient, type RPCTransport } from "@/src/entry/node.js";
import { RABBITMQ_WAYS, type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { FrameRecorder } from "@/test/fixtures/peers/recorded-frames.js";
import { PythonClient, PythonServer, type PythonVersion } from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

interface OptionSet {
  name: string;
  python: PythonVersion;
  options: Readonly<Record<string, string>>;
  /** The compression of all messages. */
  compression?: string;
  /** The queue of the topic, and those of fanouts and replies. */
  durable: readonly [topic: boolean, transient: boolean];
}

const QUORUM = { rabbit_quorum_queue: "true", rabbit_quorum_delivery_limit: "5" };
const SETS: readonly OptionSet[] = [
  { name: "durable", python: "14.0.3", options: { amqp_durable_queues: "true" }, durable: [true, false] },
  { name: "quorum", python: "14.0.3", options: QUORUM, durable: [true, false] },
  {
    name: "transient quorum",
    python: "18.3.1",
    options: { ...QUORUM, rabbit_transient_quorum_queue: "true" },
    durable: [true, true],
  },
  {
    name: "compression",
    python: "18.3.1",
    options: { kombu_compression: "gzip" },
    compression: "application/x-gzip",
    durable: [false, false],
  },
];
const CASES = RABBITMQ_WAYS.flatMap((way) => SETS.map((set) => ({ ...way, ...set })));

/** Both ends declare the same exchanges and queues: RabbitMQ refuses others, which fails Python and makes our driver warn. */
describe.each(CASES)("by $scheme:// through RabbitMQ $broker with the option set $name of Python $python", (set) => {
  const { broker, scheme, python: version, options, compression } = set;
  const topics = { python: "python", ours: "ours" };
  const logger = new RecordingLogger();
  const notes = new Inbox<unknown>("our server");
  let bed: RabbitMqBed;
  let recorder: FrameRecorder | undefined;
  let transport: RPCTransport;
  let client: RPCClient;
  let pythonServer: PythonServer;
  let pythonClient: PythonClient;

  beforeAll(async () => {
    bed = await rabbitMqBed(broker, scheme);
    const { url, pythonUrl } = bed;
    transport =
      scheme === "rabbit"
        ? getRpcTransport(`${await recorded(bed)}?${new URLSearchParams(options)}`, { logger })
        : getRpcTransport(url, { rabbit: parseRabbitOptions(options), logger });
    client = getRpcClient(transport, { topic: topics.python, version: "1.0" });
    [pythonServer, pythonClient] = await Promise.all([
      PythonServer.start({ url: pythonUrl, topic: topics.python, server: "python", version, options }),
      PythonClient.start(pythonUrl, { version, options }),
    ]);
    const endpoint = new BuiltinEndpoint("ours", (note) => notes.put(note));
    await getRpcServer(transport, { topic: topics.ours, server: "ours" }, [endpoint]).start();
  });

  afterAll(async () => {
    await Promise.all([pythonServer?.stop(), pythonClient?.stop(), transport?.close()]);
    await recorder?.[Symbol.asyncDispose]();
  });

  test("our call and fanout reach a Python server", async () => {
    await expect(client.call({}, "echo", { arg: "é" })).resolves.toBe("é");
    await client.prepare({ fanout: true }).cast({}, "note", { arg: "all" });
    await pythonServer.noted("all");
  });

  test("a Python call and fanout reach our server", async () => {
    const target = { topic: topics.ours, version: "1.0" };
    await expect(pythonClient.call({ target, method: "echo", args: { arg: "é" } })).resolves.toBe("é");
    await pythonClient.cast({ target: { ...target, fanout: true }, method: "note", args: { arg: "all" } });
    await notes.take("the note", (note) => note === "all" || undefined);
  });

  test("the queues are declared with the options", async () => {
    const text = await bed.node.ctl("list_queues", "--vhost", bed.virtualHost, "name", "durable");
    const queues = text
      .trim()
      .split("\n")
      .map((line) => line.split("\t"));
    const durable = (name: RegExp) => new Set(queues.filter(([queue = ""]) => name.test(queue)).map(([, it]) => it));
    const [topic, transient] = set.durable;
    expect(durable(/^(ours|python)(\.|$)/)).toEqual(new Set([`${topic}`]));
    expect(durable(/^reply_|_fanout_/)).toEqual(new Set([`${transient}`]));
  });

  test("our driver has warned of nothing", () => {
    expect([...logger.of("error"), ...logger.of("warn")]).toEqual([]);
  });

  if (scheme === "amqp") return;

  async function recorded({ node, virtualHost }: RabbitMqBed): Promise<string> {
    recorder = await FrameRecorder.start(node.address);
    return node.url(virtualHost, recorder.address);
  }

  test("each message is compressed with compression only", () => {
    const messages = recorder?.frames.filter(({ p }) => p !== undefined) ?? [];
    expect(messages.length).toBeGreaterThan(5);
    for (const { p } of messages) expect(p?.["headers"]).toEqual(compression === undefined ? {} : { compression });
  });
});
