import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect } from "@/src/amqp091/connect.js";
import type { FieldTable } from "@/src/amqp091/field-table.js";
import type { Dial, SocketHandlers } from "@/src/core/byte-stream.js";
import type { Frame } from "@/src/core/frames/frame-log.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { connectTo, GUEST, methodFrame, RawBroker, START, TO, TUNE } from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

function ascii(bytes: unknown): string {
  return Buffer.from(bytes as Uint8Array).toString("latin1");
}

/** The login of a connection that gets no further. */
async function loginWith(options: Parameters<typeof connectTo>[1]) {
  const broker = new RawBroker();
  const connecting = connectTo(broker, options);
  connecting.catch(() => {});
  await broker.next("header");
  broker.send(0, "connection.start", START);
  const { fields } = await broker.next("connection.start-ok");
  broker.hangUp();
  return fields;
}

describe("login", () => {
  it("PLAIN sends user and password", async () => {
    const { mechanism, response, locale } = await loginWith({ mechanism: "PLAIN", credentials: GUEST });
    expect([mechanism, ascii(response), locale]).toEqual(["PLAIN", "\0guest\0guest", "en_US"]);
  });

  it("AMQPLAIN sends a table without its size", async () => {
    const { mechanism, response } = await loginWith({ mechanism: "AMQPLAIN", credentials: GUEST });
    expect([mechanism, ascii(response)]).toEqual(["AMQPLAIN", "\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x05guest"]);
  });

  it("EXTERNAL sends an empty response", async () => {
    const { mechanism, response } = await loginWith({ mechanism: "EXTERNAL", credentials: { external: true } });
    expect([mechanism, ascii(response)]).toEqual(["EXTERNAL", ""]);
  });

  it("a token is sent as the password, also one of 10,000 characters", async () => {
    const token = "t".repeat(10_000);
    const { response } = await loginWith({ credentials: { token } });
    expect(ascii(response)).toBe(`\0\0${token}`);
  });

  it("the client properties are sent as given", async () => {
    const clientProperties: FieldTable = {
      product: "p",
      connection_name: "n",
      capabilities: { "connection.blocked": true },
    };
    expect((await loginWith({ clientProperties }))["clientProperties"]).toEqual(clientProperties);
  });

  it.each([
    [{ mechanism: "EXTERNAL" as const }, "no common SASL mechanism: the peer offers PLAIN, the client allows EXTERNAL"],
    [{ credentials: { external: true as const } }, "PLAIN requires a username and a password, or a token"],
    [
      { credentials: { username: "a\0", password: "" } },
      "the username contains a NUL character, which PLAIN does not permit",
    ],
  ])("a login that is not possible fails before anything is sent (%#)", async (options, message) => {
    const broker = new RawBroker();
    const connecting = connectTo(broker, options);
    const expected = expect(connecting).rejects.toMatchObject({ name: "AuthenticationError", description: message });
    await broker.next("header");
    broker.send(0, "connection.start", { ...START, mechanisms: Buffer.from("PLAIN") });
    await expected;
    await broker.closed;
    expect(broker.received.unread).toEqual([]);
  });

  it("a refused login is an AuthenticationError that names mechanism and user, and contains the broker's text", async () => {
    const broker = new RawBroker();
    const connecting = connectTo(broker, { credentials: { username: "nova", password: "secret" } });
    const expected = expect(connecting).rejects.toMatchObject({
      name: "AuthenticationError",
      description: 'PLAIN of user "nova" failed: ACCESS_REFUSED - Login was refused (403)',
      cause: { name: "Amqp091Error", code: 403 },
    });
    await broker.next("header");
    broker.send(0, "connection.start", START);
    await broker.next("connection.start-ok");
    broker.send(0, "connection.close", { replyCode: 403, replyText: "ACCESS_REFUSED - Login was refused" });
    await expected;
    await broker.next("connection.close-ok");
    await broker.closed;
  });

  it("an unknown virtual host is the broker's error", async () => {
    const broker = new RawBroker();
    const connecting = connectTo(broker, { virtualHost: "nowhere" });
    const error = { code: 530, text: "NOT_ALLOWED - vhost nowhere not found", classId: 10, methodId: 40 };
    const expected = expect(connecting).rejects.toMatchObject({ name: "Amqp091Error", ...error });
    await broker.next("header");
    broker.send(0, "connection.start", START);
    await broker.next("connection.start-ok");
    broker.send(0, "connection.tune", TUNE);
    await broker.next("connection.tune-ok");
    expect((await broker.next("connection.open")).fields).toMatchObject({ virtualHost: "nowhere" });
    broker.send(0, "connection.close", { replyCode: 530, replyText: error.text, classId: 10, methodId: 40 });
    await expected;
  });

  it("a virtual host of more than 255 bytes is refused by name", async () => {
    const broker = new RawBroker();
    const connecting = connectTo(broker, { virtualHost: "v".repeat(256) });
    const expected = expect(connecting).rejects.toThrow("virtualHost of 256 bytes, at most 255");
    await broker.next("header");
    broker.send(0, "connection.start", START);
    await broker.next("connection.start-ok");
    broker.send(0, "connection.tune", TUNE);
    await expected;
  });

  it("secrets are not shown to onFrame", async () => {
    const frames: Frame[] = [];
    const credentials = { username: "nova", password: "geheim" };
    const { broker, connection } = await opened({
      credentials,
      mechanism: "AMQPLAIN",
      onFrame: (frame) => frames.push(frame),
    });
    const updating = connection.updateSecret("geheim2", "expires");
    await broker.next("connection.update-secret");
    broker.send(0, "connection.update-secret-ok");
    await updating;
    expect(JSON.stringify(frames)).not.toContain("geheim");
    expect(frames.map(({ direction, performative }) => `${direction} ${performative}`)).toEqual([
      "out header",
      "in connection.start",
      "out connection.start-ok",
      "in connection.tune",
      "out connection.tune-ok",
      "out connection.open",
      "in connection.open-ok",
      "out connection.update-secret",
      "in connection.update-secret-ok",
    ]);
    expect(frames[2]?.fields).toMatchObject({ mechanism: "AMQPLAIN", locale: "en_US" });
  });

  it("an onFrame that throws is logged and does not end the connection", async () => {
    const { connection } = await opened({
      onFrame: () => {
        throw new Error("mine");
      },
    });
    expect(connection.isOpen).toBe(true);
  });
});

describe("tuning", () => {
  async function tunedBy(tune: Partial<typeof TUNE>, heartbeatMs = 60_000) {
    const broker = new RawBroker();
    const connecting = connectTo(broker, { heartbeatMs });
    await broker.next("header");
    broker.send(0, "connection.start", START);
    await broker.next("connection.start-ok");
    broker.send(0, "connection.tune", { ...TUNE, ...tune });
    const { fields } = await broker.next("connection.tune-ok");
    broker.send(0, "connection.open-ok");
    await connecting;
    broker.hangUp();
    return fields;
  }

  it.each([
    ["equal limits are agreed to", {}, 60_000, TUNE],
    [
      "smaller limits of the peer are agreed to",
      { channelMax: 3, frameMax: 4_096, heartbeat: 7 },
      60_000,
      { channelMax: 3, frameMax: 4_096, heartbeat: 7 },
    ],
    [
      "larger limits of the peer are reduced to ours",
      { channelMax: 65_535, frameMax: 2 ** 31, heartbeat: 580 },
      60_000,
      TUNE,
    ],
    ["0 of the peer means no limit", { channelMax: 0, frameMax: 0, heartbeat: 0 }, 30_000, { ...TUNE, heartbeat: 30 }],
    ["a heartbeat of 0 turns heartbeats off", {}, 0, { ...TUNE, heartbeat: 0 }],
    ["a heartbeat is rounded up to seconds", {}, 1_001, { ...TUNE, heartbeat: 2 }],
  ])("%s", async (_, tune, heartbeatMs, expected) => {
    expect(await tunedBy(tune, heartbeatMs)).toEqual(expected);
  });

  it("a frame-max below 4,096 is refused", async () => {
    const broker = new RawBroker();
    const connecting = connectTo(broker);
    const expected = expect(connecting).rejects.toThrow("SYNTAX_ERROR - frame-max of 4095 bytes, at least 4096 (502)");
    await broker.next("header");
    broker.send(0, "connection.start", START);
    await broker.next("connection.start-ok");
    broker.send(0, "connection.tune", { ...TUNE, frameMax: 4_095 });
    await expected;
    expect((await broker.next("connection.close")).fields).toMatchObject({ replyCode: 502 });
  });

  it("a connection reports product, version and properties of the server", async () => {
    const { connection } = await opened();
    expect([connection.product, connection.version]).toEqual(["Raw", "1.2.3"]);
    expect(connection.serverProperties).toEqual(START.serverProperties);
  });
});

/** The bytes that a server sends until the connection is open, each with the phase that waits for them. */
const SERVER = [
  ["connection.start", methodFrame(0, "connection.start", START)],
  ["connection.tune", methodFrame(0, "connection.tune", TUNE)],
  ["connection.open-ok", methodFrame(0, "connection.open-ok")],
] as const;

const PHASES = SERVER.map(([phase], index) => [phase, index] as const);

/** A client on a socket whose server is the test. */
function dialled() {
  const socket = new FakeSocket();
  let handlers: SocketHandlers = { data() {}, drain() {}, close() {} };
  const dial: Dial = async (_to, dialled) => {
    handlers = dialled;
    return socket;
  };
  const abort = new AbortController();
  const added = vi.spyOn(abort.signal, "addEventListener");
  const removed = vi.spyOn(abort.signal, "removeEventListener");
  const options = {
    mechanism: "PLAIN",
    credentials: GUEST,
    virtualHost: "/",
    clientProperties: {},
    heartbeatMs: 0,
  } as const;
  const connecting = connect(dial, TO, options, abort.signal);
  connecting.catch(() => {});
  return {
    socket,
    abort,
    connecting,
    /** Sends the first `count` entries of SERVER. */
    async say(count: number): Promise<void> {
      await turn();
      for (const [, bytes] of SERVER.slice(0, count)) handlers.data(Uint8Array.from(bytes));
    },
    close: (cause?: Error) => handlers.close(cause),
    listeners: () => added.mock.calls.length - removed.mock.calls.length,
  };
}

describe("connecting", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  it("a finished connect leaves neither timer nor listener behind", async () => {
    const { connecting, say, listeners, socket } = dialled();
    await say(3);
    expect((await connecting).isOpen).toBe(true);
    expect([vi.getTimerCount(), listeners(), socket.isClosed]).toEqual([0, 0, false]);
  });

  it.each(PHASES)("connect rejects when it is aborted while it waits for %s", async (_, index) => {
    const { connecting, abort, say, listeners, socket } = dialled();
    await say(index);
    abort.abort(new Error("changed my mind"));
    await expect(connecting).rejects.toThrow("changed my mind");
    expect([vi.getTimerCount(), listeners(), socket.isClosed]).toEqual([0, 0, true]);
    await say(3); // too late
  });

  it.each(PHASES)("connect times out when the peer is silent while it waits for %s", async (_, index) => {
    const { connecting, say, listeners, socket } = dialled();
    await say(index);
    vi.advanceTimersByTime(15_000);
    await expect(connecting).rejects.toThrow("fake: no AMQP 0-9-1 connection within 15000 ms");
    expect([vi.getTimerCount(), listeners(), socket.isClosed]).toEqual([0, 0, true]);
  });

  it.each(PHASES)("connect rejects when the stream ends while it waits for %s", async (_, index) => {
    const { connecting, say, close, listeners } = dialled();
    await say(index);
    close(index === 0 ? undefined : new Error("fake: reset"));
    const message = index === 0 ? "fake: closed by the peer before the connection was open" : "fake: reset";
    await expect(connecting).rejects.toMatchObject({ name: "ConnectionLost", message });
    expect([vi.getTimerCount(), listeners()]).toEqual([0, 0]);
  });

  it("connect rejects when it is aborted before, during or right after the dialling", async () => {
    const aborted = dialled();
    aborted.abort.abort(new Error("at once"));
    await expect(aborted.connecting).rejects.toThrow("at once");
    const signal = AbortSignal.abort(new Error("before"));
    const dial = vi.fn();
    await expect(connect(dial, TO, {} as never, signal)).rejects.toThrow("before");
    expect(dial).not.toHaveBeenCalled();
  });

  it.each(PHASES.slice(1))("a method out of order where %s is expected ends the connection", async (_, index) => {
    const { connecting, say, socket } = dialled();
    await say(index);
    await say(1);
    await expect(connecting).rejects.toMatchObject({
      name: "Amqp091Error",
      code: 503,
      text: `COMMAND_INVALID - connection.start where ${SERVER[index]?.[0]} was expected`,
    });
    expect(socket.isClosed).toBe(true);
  });
});
