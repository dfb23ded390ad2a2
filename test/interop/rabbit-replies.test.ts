import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connect } from "@/src/amqp091/connect.js";
import type { Connection } from "@/src/amqp091/connection.js";
import { type Deadline, Deadlines } from "@/src/core/deadlines.js";
import { ConnectionLost } from "@/src/core/errors.js";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { Waiters } from "@/src/core/waiters.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import type { DriverConnectionInit } from "@/src/driver/rabbit/driver-connection.js";
import { ListeningConnection } from "@/src/driver/rabbit/listening-connection.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import type { ReplyConnection } from "@/src/driver/rabbit/outgoing-reply.js";
import { PublishingConnection } from "@/src/driver/rabbit/publishing-connection.js";
import { Replies } from "@/src/driver/rabbit/replies.js";
import { ReplySender } from "@/src/driver/rabbit/reply-sender.js";
import { Topology } from "@/src/driver/rabbit/topology.js";
import { encodeReply, type ReplyTo } from "@/src/driver/rabbit/wire.js";
import { Operations } from "@/src/driver/sending/operations.js";
import { PendingReply, type Reply } from "@/src/driver/sending/pending-reply.js";
import { MessageIds } from "@/src/driver/values/ids.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { GUEST } from "@/test/fixtures/peers/raw-broker.js";

const OPTIONS = { ...RABBIT_DEFAULTS, kombuReconnectDelayMs: 10 };
const CAPABILITIES = { authentication_failure_close: true, "connection.blocked": true, consumer_cancel_notify: true };
const ids = new MessageIds();

let rabbit: RabbitMq;

beforeAll(async () => {
  rabbit = await RabbitMq.start();
}, 150_000);
afterAll(async () => await rabbit?.stop());

async function opened(credentials = GUEST): Promise<Connection> {
  const { host: hostname, port } = rabbit.address;
  const connection = await connect(
    tcpDial,
    { scheme: "amqp", hostname, port },
    {
      mechanism: "AMQPLAIN",
      credentials,
      virtualHost: "/",
      clientProperties: { product: "oslo-messaging tests", capabilities: CAPABILITIES },
      heartbeatMs: 60_000,
    },
    new AbortController().signal,
  );
  onTestFinished(() => connection.close());
  return connection;
}

/** The replies of a client, and the sender of a server, each on its own connection. */
class Ends {
  readonly logger = new RecordingLogger();
  readonly deadlines = new Deadlines();
  readonly replies: Replies;
  readonly sender: ReplySender;
  readonly queue: string;
  readonly #log = { logger: this.logger, warnings: new RecurringWarnings(this.logger) };
  readonly #waiters = new Waiters<ListeningConnection>();
  readonly #replyQueue = new Topology({ options: OPTIONS, controlExchange: "openstack" }).replyQueue(ids.next());
  amqp: Connection | undefined;
  live: ListeningConnection | undefined;
  publishing: PublishingConnection | undefined;

  constructor() {
    const ends = this;
    this.queue = this.#replyQueue.declaration.queue;
    this.replies = new Replies({
      ...this.#log,
      queue: this.#replyQueue,
      consumerArguments: {},
      maxMessageBytes: 1_000_000,
      connections: {
        connect: async (deadline) => (this.live?.isOpen ? this.live : await this.#waiters.wait("connecting", deadline)),
      },
      nonFiniteNumbers: undefined,
      failFast: false,
    });
    const operations = new Operations<ReplyConnection>({
      get live() {
        return ends.publishing;
      },
      host: { name: "rabbit" },
      lastError: undefined,
      connect: () => new Promise(() => {}),
    });
    this.sender = new ReplySender({ ...this.#log, operations, ids, options: OPTIONS });
  }

  async listen(credentials?: typeof GUEST): Promise<void> {
    this.amqp = await opened(credentials);
    this.live = new ListeningConnection(this.#init(this.amqp));
    this.replies.attach(this.live);
    this.#waiters.resolve(this.live);
  }

  async publish(): Promise<void> {
    this.publishing = new PublishingConnection(this.#init(await opened()));
  }

  ready(): Promise<void> {
    return this.replies.ready(this.deadline());
  }

  deadline(): Deadline {
    const deadline = this.deadlines.start({ ms: 20_000, expired: (phase) => new Error(`expired: ${phase}`) });
    onTestFinished(() => deadline.done());
    return deadline;
  }

  /** A call with an accepted request. */
  call(): { to: ReplyTo; value: Promise<Reply> } {
    const messageId = ids.next();
    const pending = new PendingReply<Reply>({ deadline: this.deadline(), unanswered: (cause) => cause }, undefined);
    this.replies.register(messageId, pending);
    return { to: { messageId, replyQueue: this.queue, callMonitorTimeoutMs: undefined }, value: pending.value() };
  }

  reply({ to }: { to: ReplyTo }, value: unknown): Promise<Error | undefined> {
    const { messageId } = to;
    return this.sender.reply(to, (uniqueId) => encodeReply(value, { messageId, uniqueId }));
  }

  #init(connection: Connection): DriverConnectionInit {
    return {
      ...this.#log,
      connection: new ChannelConnection(connection),
      host: "rabbit",
      options: OPTIONS,
      status: { set: () => {} },
    };
  }
}

async function ends(): Promise<Ends> {
  const both = new Ends();
  await Promise.all([both.listen(), both.publish()]);
  return both;
}

describe("the reply queue at RabbitMQ", () => {
  test("is transient, expires, and carries replies", async () => {
    const both = await ends();
    await both.ready();
    const queues = await rabbit.ctl(
      "list_queues",
      "name",
      "durable",
      "auto_delete",
      "exclusive",
      "arguments",
      "consumers",
    );
    expect(queues).toContain(`${both.queue}\tfalse\tfalse\tfalse\t[{"x-expires",1800000}]\t1\n`);
    const calls = Array.from({ length: 100 }, () => both.call());
    await Promise.all(calls.map((call, i) => both.reply(call, i)));
    const replies = await Promise.all(calls.map(({ value }) => value));
    expect(replies).toEqual(calls.map((_, value) => ({ type: "response", value })));
    expect(await rabbit.ctl("list_queues", "name", "messages")).toContain(`${both.queue}\t0\n`);
    expect(both.logger.of("warn")).toEqual([]);
  });

  test("is declared and consumed again when it is deleted under its consumer; the reply waits for it", async () => {
    const both = await ends();
    await both.ready();
    const call = both.call();
    await both.publishing?.declarer.deleteQueue(both.queue);
    expect(await both.reply(call, "late")).toBe(undefined);
    expect(await call.value).toEqual({ type: "response", value: "late" });
    expect(both.logger.of("warn")).toEqual([`no messages from queue ${both.queue}: the broker cancelled the consumer`]);
  });

  test("keeps the replies while its client has no connection", async () => {
    const both = await ends();
    await both.ready();
    const call = both.call();
    both.amqp?.abort(new ConnectionLost("cut"));
    await both.live?.closed;
    expect(await both.reply(call, "kept")).toBe(undefined);
    await both.listen();
    expect(await call.value).toEqual({ type: "response", value: "kept" });
  });

  test("a reply to a queue that does not exist yet is delivered when it does", async () => {
    const both = await ends();
    const call = both.call();
    expect(await both.reply(call, 1)).toBe(undefined);
    await both.ready();
    expect(await call.value).toEqual({ type: "response", value: 1 });
  });

  test.each([
    { permissions: ["no", ".*", ".*"], permission: "configure" },
    { permissions: [".*", ".*", "no"], permission: "read" },
  ])("a user without the permission $permission gets an error that names it", async ({ permissions, permission }) => {
    const username = `without-${permission}`;
    await rabbit.ctl("add_user", username, "secret");
    await rabbit.ctl("set_permissions", username, ...permissions);
    const both = new Ends();
    await both.listen({ username, password: "secret" });
    await expect(both.ready()).rejects.toThrow(`the user has no permission "${permission}" on queue ${both.queue}`);
    await rabbit.ctl("set_permissions", username, ".*", ".*", ".*");
    await both.ready();
  });
});
