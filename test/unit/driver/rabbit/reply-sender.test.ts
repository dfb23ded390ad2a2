import { inflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Amqp091Error } from "@/src/amqp091/errors.js";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { Waiters } from "@/src/core/waiters.js";
import type { ResolvedRabbitOptions } from "@/src/driver/rabbit/option-table.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import type { ReplyConnection } from "@/src/driver/rabbit/outgoing-reply.js";
import type { RabbitMessage } from "@/src/driver/rabbit/publishing.js";
import { ReplySender } from "@/src/driver/rabbit/reply-sender.js";
import type { Route } from "@/src/driver/rabbit/topology.js";
import { decodeReply, encodeReply, JSON_TYPE, type ReplyTo } from "@/src/driver/rabbit/wire.js";
import { type Connections, Operations } from "@/src/driver/sending/operations.js";
import type { SendOutcome } from "@/src/driver/sending/outcomes.js";
import { MessageIds } from "@/src/driver/values/ids.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";

const ACCEPTED: SendOutcome = { type: "accepted" };
const RETURNED: SendOutcome = { type: "returned", exchange: "", routingKey: "q", replyText: "NO_ROUTE" };
const UNKNOWN: SendOutcome = { type: "unknown", error: new Error("the connection was lost") };
const TOO_LARGE: SendOutcome = {
  type: "rejected",
  error: new Amqp091Error({
    code: 406,
    text: "PRECONDITION_FAILED - message size 9 is larger than configured max size 5",
  }),
};

interface Published {
  queue: string;
  value: unknown;
  failure: unknown;
  uniqueId: string;
  isHeartbeat: boolean;
  message: RabbitMessage;
}

type Publish = (published: Published) => SendOutcome | Promise<SendOutcome>;

/** A sender whose broker is the function `publish`. */
class SenderBed {
  readonly logger = new RecordingLogger();
  readonly published: Published[] = [];
  readonly operations: Operations<ReplyConnection>;
  readonly sender: ReplySender;
  publish: Publish = () => ACCEPTED;
  /** Whether the broker blocks the messages of the next connection. */
  isBlocked = false;
  #live: ReplyConnection | undefined;
  readonly #waiters = new Waiters<ReplyConnection>();

  constructor(options: Partial<ResolvedRabbitOptions> = {}, { isConnected = true } = {}) {
    const bed = this;
    const connections: Connections<ReplyConnection> = {
      get live() {
        return bed.#live;
      },
      host: { name: "broker:1" },
      lastError: undefined,
      connect: (deadline) => this.#waiters.wait("connecting", deadline),
    };
    this.operations = new Operations(connections);
    if (isConnected) this.connect();
    this.sender = new ReplySender({
      warnings: new RecurringWarnings(this.logger),
      operations: this.operations,
      ids: new MessageIds(),
      options: { ...RABBIT_DEFAULTS, ...options },
    });
  }

  connect(): void {
    const { logger } = this;
    this.#live = {
      isOpen: true,
      isBlocked: this.isBlocked,
      endedBy: undefined,
      repeatsAreRecognised: true,
      logger,
      peer: { kind: "broker" },
      refusalOf: () => undefined,
      pause: async () => {},
      replies: {
        publish: async (route: Route, message: RabbitMessage) => {
          const published = read(route, message);
          this.published.push(published);
          return await this.publish(published);
        },
      },
    };
    this.#waiters.resolve(this.#live);
  }

  disconnect(): void {
    this.#live = undefined;
  }

  reply(to: ReplyTo, value: unknown): Promise<Error | undefined> {
    const { messageId } = to;
    return this.sender.reply(to, (uniqueId) => encodeReply(value, { messageId, uniqueId }));
  }

  get values(): unknown[] {
    return this.published.map(({ value }) => value);
  }
}

function read({ exchange, routingKey: queue }: Route, message: RabbitMessage): Published {
  expect(exchange).toBe("");
  const body = message.compression === undefined ? message.body : inflateSync(message.body);
  const { reply, ending } = decodeReply({ body, contentType: JSON_TYPE });
  const envelope = JSON.parse(Buffer.from(body).toString());
  return {
    queue,
    value: reply?.type === "response" ? reply.value : undefined,
    failure: reply?.type === "failure" ? reply.failure : undefined,
    uniqueId: JSON.parse(envelope["oslo.message"])._unique_id,
    isHeartbeat: !ending,
    message,
  };
}

let requests = 0;

/** The reply address of a new request. */
function to(replyQueue = "reply_1", callMonitorTimeoutMs?: number): ReplyTo {
  requests += 1;
  return { messageId: `id-${requests}`, replyQueue, callMonitorTimeoutMs };
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a reply", () => {
  test.each([true, false])("goes to the queue of its request, mandatory: %s", async (directMandatoryFlag) => {
    const bed = new SenderBed({ directMandatoryFlag });
    expect(await bed.reply(to("reply_x"), { a: 1 })).toBe(undefined);
    expect(bed.published).toMatchObject([
      { queue: "reply_x", value: { a: 1 }, message: { mandatory: directMandatoryFlag } },
    ]);
    expect(bed.published[0]?.uniqueId).toMatch(/^[0-9a-f]{32}$/);
    await bed.operations.drain(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is compressed with kombu_compression", async () => {
    const bed = new SenderBed({ kombuCompression: "gzip" });
    vi.useRealTimers();
    await bed.reply(to(), "x".repeat(1_000));
    expect(bed.published).toMatchObject([{ value: "x".repeat(1_000), message: { compression: "gzip" } }]);
  });

  test("that the broker rejects resolves with the error", async () => {
    const bed = new SenderBed();
    bed.publish = () => TOO_LARGE;
    expect(await bed.reply(to(), 1)).toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "rejected",
      operation: "RPC Reply",
      message: expect.stringContaining("message size 9 is larger than configured max size 5"),
    });
    await pass(1_000);
    expect(bed.published.length).toBe(1);
  });

  test("that cannot be encoded rejects", async () => {
    const bed = new SenderBed();
    await expect(bed.reply(to(), Number.NaN)).rejects.toThrow(TypeError);
    await bed.operations.drain(1_000);
  });

  test("whose publishing throws resolves with the error", async () => {
    const bed = new SenderBed();
    bed.publish = () => {
      throw new RangeError("routingKey of 256 bytes");
    };
    expect(await bed.reply(to(), 1)).toMatchObject({ message: "routingKey of 256 bytes" });
    await bed.operations.drain(1_000);
  });

  test("after the close of the transport resolves with an error", async () => {
    const bed = new SenderBed();
    bed.operations.close();
    expect(await bed.reply(to(), 1)).toMatchObject({ message: "the transport is closed" });
  });
});

describe("while its queue is missing", () => {
  test("a reply waits: it is sent every 250 ms, each time under a new _unique_id, until the queue exists", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    const value = { state: "before" };
    expect(await bed.reply(to(), value)).toBe(undefined);
    value.state = "after";
    await pass(249);
    expect(bed.published.length).toBe(1);
    await pass(1);
    expect(bed.published.length).toBe(2);
    await pass(1_000);
    expect(bed.published.length).toBe(6);
    bed.publish = () => ACCEPTED;
    await pass(250);
    await pass(10_000);
    expect(bed.values).toEqual(Array.from({ length: 7 }, () => ({ state: "before" })));
    expect(new Set(bed.published.map(({ uniqueId }) => uniqueId)).size).toBe(7);
    expect(bed.logger.of("warn")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("replies behind the oldest are sent in order as soon as it is accepted", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    for (let i = 0; i < 3; i++) await bed.reply(to(), i);
    await bed.reply(to("reply_2"), "other");
    bed.published.length = 0;
    await pass(250);
    expect(bed.values).toEqual([0, "other"]);
    bed.publish = ({ queue }) => (queue === "reply_1" ? ACCEPTED : RETURNED);
    await pass(250);
    expect(bed.values).toEqual([0, "other", 0, 1, 2, "other"]);
  });

  test("a reply is given up after kombu_missing_consumer_retry_timeout, and for 60 s no reply is sent to this queue", async () => {
    const bed = new SenderBed({ kombuMissingConsumerRetryTimeoutMs: 30_000 });
    bed.publish = () => RETURNED;
    const request = to();
    await bed.reply(request, 1);
    await bed.reply(to(), 2);
    await pass(29_999);
    expect(bed.logger.of("warn")).toEqual([]);
    await pass(251);
    const { messageId } = request;
    const abandoned = `The reply ${messageId} failed to send after 30 seconds due to a missing queue (reply_1). Abandoning...`;
    expect(bed.logger.of("warn")).toEqual([abandoned]);
    await bed.operations.drain(1_000);
    bed.publish = () => ACCEPTED;
    bed.published.length = 0;
    const late = to();
    expect(await bed.reply(late, 3)).toBe(undefined);
    bed.sender.heartbeat(to("reply_1", 10_000));
    await pass(0);
    expect(bed.published).toEqual([]);
    expect(bed.logger.of("warn")[1]).toBe(`reply_1 doesn't exist, drop reply to ${late.messageId}`);
    await bed.reply(to("reply_2"), 4);
    await pass(60_000);
    await bed.reply(to(), 5);
    expect(bed.values).toEqual([4, 5]);
  });

  test("1,000 replies wait at most: the oldest is discarded with a warning", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    for (let i = 0; i <= 1_000; i++) await bed.reply(to(`reply_${i % 7}`), i);
    expect(bed.logger.of("warn")).toEqual([
      expect.stringMatching(/^discarded a reply to reply_0: 1001 replies of \d+ bytes were waiting$/),
    ]);
    bed.published.length = 0;
    bed.publish = () => ACCEPTED;
    await pass(250);
    expect(bed.values.length).toBe(1_000);
    expect(new Set(bed.values).has(0)).toBe(false);
  });

  test("replies wait within these limits while the broker blocks messages, and hold no slot", async () => {
    const bed = new SenderBed({}, { isConnected: false });
    bed.isBlocked = true;
    bed.connect();
    let unblock = (): void => {};
    const blocked = new Promise<SendOutcome>((resolve) => {
      unblock = () => resolve(ACCEPTED);
    });
    bed.publish = () => blocked;
    for (let i = 0; i <= 1_000; i++) expect(await bed.reply(to(), i)).toBe(undefined);
    expect(bed.logger.of("warn")).toEqual([expect.stringMatching(/^discarded a reply to reply_1: 1001 replies of /)]);
    unblock();
    await pass(1_000);
    expect(bed.values).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
    await bed.operations.drain(1_000);
  });

  test("16 MiB of replies wait at most: the oldest are discarded, one that is larger too", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    const large = "x".repeat(6 * 1024 * 1024);
    for (let i = 0; i < 3; i++) await bed.reply(to(`reply_${i}`), `${i}${large}`);
    bed.published.length = 0;
    await pass(250);
    expect(bed.published.map(({ queue }) => queue)).toEqual(["reply_1", "reply_2"]);
    await bed.reply(to("reply_4"), large + large + large);
    bed.published.length = 0;
    await pass(10_000);
    expect(bed.published).toEqual([]);
    await bed.operations.drain(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a reply that is discarded ends while it is sent", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    await bed.reply(to(), 0);
    let settle: (outcome: SendOutcome) => void = () => {};
    bed.publish = () =>
      new Promise((resolve) => {
        settle = resolve;
      });
    await pass(250);
    bed.publish = () => RETURNED;
    for (let i = 1; i <= 1_000; i++) await bed.reply(to(), i);
    settle(RETURNED);
    bed.publish = () => ACCEPTED;
    bed.published.length = 0;
    await pass(250);
    expect(bed.values[0]).toBe(1);
    expect(bed.values.length).toBe(1_000);
    await bed.operations.drain(1_000);
  });
});

describe("without a connection", () => {
  test("a reply is sent over the next one", async () => {
    const bed = new SenderBed({}, { isConnected: false });
    expect(await bed.reply(to(), 1)).toBe(undefined);
    await pass(600_000);
    bed.connect();
    await pass(0);
    expect(bed.values).toEqual([1]);
    await bed.operations.drain(1_000);
  });

  test("a reply of unknown fate is sent again under a new _unique_id", async () => {
    const bed = new SenderBed();
    bed.publish = () => {
      bed.disconnect();
      return UNKNOWN;
    };
    expect(await bed.reply(to(), 1)).toBe(undefined);
    bed.publish = () => ACCEPTED;
    bed.connect();
    await pass(250);
    expect(bed.values).toEqual([1, 1]);
    expect(bed.published[0]?.uniqueId).not.toBe(bed.published[1]?.uniqueId);
  });

  test("the time does not count for a missing queue", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    await bed.reply(to(), 1);
    await pass(50_000);
    bed.publish = () => {
      bed.disconnect();
      return UNKNOWN;
    };
    await pass(250);
    await pass(50_000);
    bed.publish = () => RETURNED;
    bed.connect();
    await pass(50_000);
    bed.publish = () => ACCEPTED;
    await pass(250);
    expect(bed.logger.of("warn")).toEqual([]);
    await bed.operations.drain(1_000);
  });

  test("a reply that ends its connection each time is given up", async () => {
    const bed = new SenderBed();
    bed.publish = () => UNKNOWN;
    await bed.reply(to(), 1);
    await bed.reply(to(), 2);
    bed.publish = ({ value }) => (value === 1 ? UNKNOWN : ACCEPTED);
    await pass(10_000);
    expect(bed.values.filter((value) => value === 1).length).toBe(12);
    expect(bed.values.at(-1)).toBe(2);
    expect(bed.logger.of("warn")).toEqual(["discarded a reply to reply_1: the connection was lost"]);
  });

  test("a reply that is rejected later is replaced by a failure", async () => {
    const bed = new SenderBed({}, { isConnected: false });
    expect(await bed.reply(to(), 1)).toBe(undefined);
    bed.publish = ({ failure }) => (failure === undefined ? TOO_LARGE : ACCEPTED);
    bed.connect();
    await pass(0);
    expect(bed.published.map(({ failure }) => failure)).toEqual([
      undefined,
      expect.objectContaining({
        excType: "MessageDeliveryFailure",
        message: expect.stringMatching(/^RPC Reply message failed: rejected: PRECONDITION_FAILED - message size 9/),
      }),
    ]);
    expect(bed.logger.of("warn")).toEqual([]);
  });

  test("a reply is logged when its failure is rejected too, at once or later", async () => {
    const bed = new SenderBed({}, { isConnected: false });
    await bed.reply(to(), 1);
    bed.publish = () => TOO_LARGE;
    bed.connect();
    await pass(0);
    expect(bed.published.length).toBe(2);
    expect(bed.logger.of("warn")).toEqual([expect.stringMatching(/^RPC Reply .* rejected: PRECONDITION_FAILED/)]);
    bed.disconnect();
    await bed.reply(to(), 2);
    bed.publish = ({ failure }) => {
      if (failure !== undefined) return bed.published.length < 5 ? RETURNED : TOO_LARGE;
      return TOO_LARGE;
    };
    bed.connect();
    await pass(1_000);
    expect(bed.published.map(({ value }) => value)).toEqual([1, undefined, 2, undefined, undefined]);
    await bed.operations.drain(1_000);
  });
});

describe("the close of the transport", () => {
  test("waits for replies that wait", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    await bed.reply(to(), 1);
    let isIdle = false;
    const drained = bed.operations.drain(10_000).then(() => {
      isIdle = true;
    });
    await pass(5_000);
    expect(isIdle).toBe(false);
    bed.publish = () => ACCEPTED;
    await pass(250);
    await drained;
    expect(isIdle).toBe(true);
  });

  test("ends the replies that still wait, with a warning", async () => {
    const bed = new SenderBed();
    bed.publish = () => RETURNED;
    await bed.reply(to(), 1);
    await bed.reply(to(), 2);
    bed.disconnect();
    await bed.reply(to("reply_2"), 3);
    bed.operations.close();
    await pass(0);
    expect(bed.logger.of("warn")).toEqual([expect.stringMatching(/^discarded a reply to .* the transport was closed/)]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a heartbeat", () => {
  test("is sent once to the queue of its request", async () => {
    const bed = new SenderBed();
    const request = to("reply_1", 10_000);
    bed.sender.heartbeat(request);
    bed.sender.heartbeat(request);
    await pass(0);
    expect(bed.published).toMatchObject([
      { queue: "reply_1", isHeartbeat: true, message: { mandatory: true } },
      { queue: "reply_1", isHeartbeat: true },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("of a call without a monitor is not sent", async () => {
    const bed = new SenderBed();
    bed.sender.heartbeat(to());
    await pass(0);
    expect(bed.published).toEqual([]);
  });

  test.each([RETURNED, TOO_LARGE])("none follows after the first one that is $type", async (outcome) => {
    const bed = new SenderBed();
    bed.publish = () => outcome;
    const request = to("reply_1", 10_000);
    bed.sender.heartbeat(request);
    await pass(1_000);
    bed.publish = () => ACCEPTED;
    bed.sender.heartbeat(request);
    await pass(1_000);
    expect(bed.published.length).toBe(1);
    expect(bed.logger.of("warn")).toEqual([expect.stringContaining("RPC KeepAlive")]);
    bed.sender.heartbeat(to("reply_1", 10_000));
    await pass(0);
    expect(bed.published.length).toBe(2);
  });

  test("goes on after a lost connection, and waits for the next one for the monitor timeout only", async () => {
    const bed = new SenderBed();
    bed.publish = () => {
      bed.disconnect();
      return UNKNOWN;
    };
    const request = to("reply_1", 10_000);
    bed.sender.heartbeat(request);
    await pass(0);
    bed.publish = () => ACCEPTED;
    bed.sender.heartbeat(request);
    await pass(10_008);
    bed.connect();
    await pass(0);
    expect(bed.published.length).toBe(1);
    bed.sender.heartbeat(request);
    await pass(0);
    expect(bed.published.length).toBe(2);
    await bed.operations.drain(1_000);
  });
});
