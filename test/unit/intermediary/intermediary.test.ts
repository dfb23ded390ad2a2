import { describe, expect, onTestFinished, test } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import type { Sender } from "@/src/core/links/sender.js";
import { ACCEPTED } from "@/src/core/messages/outcome.js";
import { Intermediary, type IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { type BedConsumer, IntermediaryBed, textMessage } from "@/test/fixtures/beds/intermediary-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";

const UNSETTLED = { settled: false };
const KINDS = ["router", "broker"] as const;

describe("connecting", () => {
  test("an intermediary without users accepts a client with ANONYMOUS", async () => {
    const bed = makeBed({ kind: "router" });
    expect((await bed.connect()).mechanism).toBe("ANONYMOUS");
    expect(bed.intermediary.connections).toBe(1);
  });

  test("an intermediary without users accepts a client without SASL", async () => {
    const answer = await sayHello(makeBed({ kind: "router" }), [0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]);
    expect([...answer]).toEqual([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]);
  });

  test("an intermediary with users accepts only them, with their passwords", async () => {
    const bed = makeBed({ kind: "router", users: new Map([["joe", "pässword"]]) });
    expect((await bed.connect({ username: "joe", password: "pässword" })).mechanism).toBe("SCRAM-SHA-512");
    await expect(bed.connect({ username: "joe", password: "password" })).rejects.toMatchObject({
      name: "AuthenticationError",
    });
    await expect(bed.connect({ username: "constructor", password: "x" })).rejects.toMatchObject({
      name: "AuthenticationError",
    });
    await expect(bed.connect()).rejects.toMatchObject({ name: "AuthenticationError" });
    expect(bed.logger.lines.join()).not.toContain("pässword");
  });

  test("an intermediary logs the names of users that connect", async () => {
    const logger = new RecordingLogger();
    const bed = makeBed({ kind: "router", users: new Map([["joe", "pässword"]]), logger });
    await bed.connect({ username: "joe", password: "pässword" });
    expect(logger.lines.at(-1)).toMatchObject({ level: "info", fields: { username: "joe" } });
  });

  test("an intermediary with users refuses a client without SASL, and answers with the SASL header", async () => {
    const bed = makeBed({ kind: "router", users: new Map([["joe", "x"]]) });
    const answer = await sayHello(bed, [0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]);
    expect([...answer]).toEqual([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]);
  });

  test.each([
    ["nothing", []],
    ["less than a protocol header", [0x0d, 0x0a]],
  ])("a client that sends %s and closes, as a health check does, is no warning", async (_, bytes) => {
    const logger = new RecordingLogger();
    const bed = makeBed({ kind: "router", logger });
    const handlers = { data() {}, drain() {}, close() {} };
    const to = { scheme: "amqp", hostname: "raw", port: 1 };
    const socket = await memoryDial(bed.intermediary.accept)(to, handlers, AbortSignal.timeout(5_000));
    if (bytes.length > 0) socket.send(Uint8Array.from(bytes));
    socket.close();
    await expect.poll(() => bed.intermediary.connections).toBe(0);
    expect(logger.lines).toMatchObject([{ level: "debug", message: expect.stringContaining("closed by the peer") }]);
  });

  test("clients that speak another protocol are logged once", async () => {
    const logger = new RecordingLogger();
    const bed = makeBed({ kind: "router", logger });
    for (let client = 0; client < 3; client++) await sayHello(bed, [...Buffer.from("GET / HT")]);
    expect(logger.of("warn")).toEqual([expect.stringContaining("the peer speaks HTTP, not AMQP 1.0")]);
  });

  test("an intermediary refuses connections over its limit, until one closes", async () => {
    const bed = makeBed({ kind: "router", limits: { connections: 2 } });
    const [first] = [await bed.connect(), await bed.connect()];
    await expect(bed.connect()).rejects.toThrow();
    expect(bed.intermediary.connections).toBe(2);
    await first.close();
    await bed.connect();
  });
});

describe.each(KINDS)("the virtual hosts of a %s", (kind) => {
  test("each virtual host, the default one included, has its own addresses", async () => {
    const bed = makeBed({ kind, virtualHosts: ["red", "blue"] });
    const hostnames = [undefined, "", "red", "red", "blue", "blue"];
    const clients = await Promise.all(hostnames.map((hostname) => bed.connect(undefined, hostname)));
    const pairs = [clients.slice(0, 2), clients.slice(2, 4), clients.slice(4)];
    const inboxes = await Promise.all(
      pairs.map(async ([client, other], index) => {
        if (client === undefined || other === undefined) throw new Error("no pair");
        const { inbox } = await bed.consumer(client, "same/address");
        const producer = await bed.producer(other, "same/address");
        return { inbox, producer, text: `for ${index}` };
      }),
    );
    for (const { producer, text } of inboxes) {
      expect(await producer.send(textMessage(text), { settled: true })).toMatchObject({ type: "accepted" });
    }
    for (const { inbox, text } of inboxes) expect(await inbox.nextText()).toBe(text);
    for (const client of clients) await bed.settle(client);
    expect(inboxes.map(({ inbox }) => inbox.count)).toEqual([1, 1, 1]);
  });

  test("a client that selects an unknown virtual host is refused", async () => {
    const bed = makeBed({ kind, virtualHosts: ["red"] });
    const client = await bed.connect(undefined, "green").catch((error: unknown) => error);
    const cause = client instanceof Error ? client : await (client as Connection).closed;
    expect(cause).toMatchObject({
      condition: "amqp:not-found",
      description: 'there is no virtual host "green"',
    });
    expect(bed.intermediary.connections).toBe(0);
    expect(bed.logger.lines.join()).toContain("refused: there is no virtual host");
  });

  test("clients share one virtual host if none is configured, because many send the machine's name as hostname", async () => {
    const bed = makeBed({ kind });
    const [client, other] = [await bed.connect(undefined, "localhost"), await bed.connect()];
    const { inbox } = await bed.consumer(client, "a");
    const producer = await bed.producer(other, "a");
    await producer.send(textMessage("hello"), { settled: true });
    expect(await inbox.nextText()).toBe("hello");
  });
});

describe.each(KINDS)("links that a %s refuses", (kind) => {
  const init = { name: "link", onDelivery() {}, credit: 1 };

  test.each([
    ["a source without an address", {}, "amqp:invalid-field"],
    ["a source that is too long", { address: "x".repeat(5000) }, "amqp:invalid-field"],
    ["a dynamic node of another link", { address: "$dynamic/0123" }, "amqp:not-allowed"],
  ])(`a ${kind} refuses %s`, async (_, source, condition) => {
    const connection = await makeBed({ kind }).connect();
    await expect(connection.openReceiver({ ...init, source, target: {} })).rejects.toMatchObject({ condition });
    await expectToWork(connection, kind);
  });

  test.each([
    ["a target without an address, the anonymous relay", {}, "amqp:not-implemented"],
    ["a target with an empty address", { address: "" }, "amqp:not-implemented"],
    ["a dynamic target", { dynamic: true }, "amqp:not-implemented"],
    ["a target that is too long", { address: "x".repeat(5000) }, "amqp:invalid-field"],
  ])(`a ${kind} refuses %s`, async (_, target, condition) => {
    const connection = await makeBed({ kind }).connect();
    await expect(connection.openSender({ ...init, source: {}, target })).rejects.toMatchObject({ condition });
    await expectToWork(connection, kind);
  });

  test(`a ${kind} refuses links over the limit, until one is detached`, async () => {
    const bed = makeBed({ kind, limits: { linksPerConnection: 3 } });
    const connection = await bed.connect();
    const links = [
      await bed.producer(connection, "a"),
      (await bed.consumer(connection, "a")).receiver,
      (await bed.consumer(connection, undefined)).receiver,
    ];
    await expect(bed.producer(connection, "b")).rejects.toMatchObject({ condition: "amqp:resource-limit-exceeded" });
    for (const link of links) {
      await link.close();
      const next = await bed.producer(connection, "b");
      await next.close();
      await bed.producer(connection, "b");
    }
  });
});

describe.each(KINDS)("a %s", (kind) => {
  test(`a ${kind} sends the configured product`, async () => {
    expect((await makeBed({ kind, product: "qpid-cpp" }).connect()).remote.product).toBe("qpid-cpp");
  });

  test(`a ${kind} refuses a product that its Open cannot hold`, () => {
    for (const product of ["", "p".repeat(101), "Bücher", "\ud800", "a\n"]) {
      expect(() => new Intermediary({ kind, product })).toThrow("product: must be 1 to 100 printable ASCII characters");
    }
  });

  test(`a ${kind} follows custom prefixes`, async () => {
    const bed = makeBed({ kind, addressing: { rpcAddressPrefix: "my", multicastAddress: "all" } });
    const connection = await bed.connect();
    const consumers = [await bed.consumer(connection, "my/all/x"), await bed.consumer(connection, "my/all/x")];
    await (await bed.producer(connection, "my/all/x")).send(textMessage("a"), { settled: true });
    for (const { inbox } of consumers) expect(await inbox.nextText()).toBe("a");
  });

  test(`a ${kind} rejects a message over the size limit, and continues`, async () => {
    const bed = makeBed({ kind, limits: { maxMessageBytes: 200_000 } });
    const connection = await bed.connect();
    const { inbox } = await bed.consumer(connection, "a");
    const producer = await bed.producer(connection, "a");
    expect(await producer.send(textMessage("x".repeat(300_000)), UNSETTLED)).toMatchObject({
      type: "rejected",
      error: { condition: "amqp:link:message-size-exceeded" },
    });
    const sent = producer.send(textMessage("x"), UNSETTLED);
    expect(await inbox.nextText()).toBe("x");
    expect(await sent).toEqual(ACCEPTED);
  });

  test.each([
    [50_000, 50_000],
    [300_000, 200_000],
  ])(
    `a ${kind} whose limit is 200,000 bytes states to a producer of a dynamic node, whose consumer accepts %i bytes, a limit of %i`,
    async (maxMessageBytes, stated) => {
      const bed = makeBed({ kind, limits: { maxMessageBytes: 200_000 } });
      const [client, server] = [await bed.connect(), await bed.connect()];
      const init = {
        name: "replies",
        source: { dynamic: true },
        target: {},
        credit: 1,
        maxMessageBytes,
        onDelivery() {},
      };
      const { source } = await client.openReceiver(init);
      expect((await bed.producer(server, source?.address ?? "")).maxMessageBytes).toBe(stated);
    },
  );

  test(`a ${kind} forwards bytes that are not a message unchanged`, async () => {
    const bed = makeBed({ kind });
    const connection = await bed.connect();
    const { inbox } = await bed.consumer(connection, "a");
    const producer = await bed.producer(connection, "a");
    const sent = producer.send(Uint8Array.of(0x00, 0x53, 0x70, 0xd0, 1), UNSETTLED);
    const delivery = await inbox.next();
    delivery.accept();
    expect([...delivery.payload]).toEqual([0x00, 0x53, 0x70, 0xd0, 1]);
    expect(await sent).toEqual(ACCEPTED);
  });

  test(`a ${kind} serves thousands of links on as many addresses`, { timeout: 20_000 }, async () => {
    const bed = makeBed({ kind });
    const [client, server] = [await bed.connect(), await bed.connect()];
    const addresses = Array.from({ length: 2000 }, (_, i) => `topic ${i}`);
    const consumers: BedConsumer[] = [];
    const producers: Sender[] = [];
    for (const address of addresses) {
      consumers.push(await bed.consumer(server, address));
      producers.push(await bed.producer(client, address));
    }
    const sent = producers.map((producer, i) => producer.send(textMessage(String(i)), UNSETTLED));
    const texts = await Promise.all(consumers.map(({ inbox }) => inbox.nextText()));
    expect(texts).toEqual(addresses.map((_, i) => String(i)));
    expect(new Set((await Promise.all(sent)).map(({ type }) => type))).toEqual(new Set(["accepted"]));
  });

  test.each([
    ["HTTP", "GET / HTTP/1.1\r\n\r\n"],
    ["AMQP 0-9-1", "AMQP\x00\x00\x09\x01"],
    ["a frame of 4 GB", "AMQP\x00\x01\x00\x00\xff\xff\xff\xff\x02\x00\x00\x00"],
    ["a frame without a known performative", "AMQP\x00\x01\x00\x00\x00\x00\x00\x0a\x02\x00\x00\x00\xff\xff"],
    ["a transfer before anything else", "AMQP\x00\x01\x00\x00\x00\x00\x00\x0c\x02\x00\x00\x00\x00\x53\x14\x45"],
  ])(`a ${kind} closes only the connection of a client that sends %s`, async (_, text) => {
    const bed = makeBed({ kind });
    const connection = await bed.connect();
    await sayHello(
      bed,
      [...text].map((character) => character.charCodeAt(0)),
    );
    await expectToWork(connection, kind);
    expect(bed.intermediary.connections).toBe(1);
  });

  test(`a ${kind} holds nothing for clients that have disconnected`, async () => {
    const bed = makeBed({ kind, limits: { queuedMessages: 100 } });
    const staying = await bed.connect();
    for (let round = 0; round < 10; round++) {
      const [client, server] = [await bed.connect(), await bed.connect()];
      const { inbox } = await bed.consumer(server, "a", 40);
      const producer = await bed.producer(client, "a");
      for (let i = 0; i < 40; i++) void producer.send(textMessage(String(i)), { settled: i % 2 === 0 });
      for (let i = 0; i < 40; i++) await inbox.next();
      await client.close();
      await server.close();
      const rest = await bed.consumer(staying, "a", 100);
      if (kind === "broker") for (let i = 0; i < 40; i++) await rest.inbox.nextText();
      await rest.receiver.close();
    }
    expect(bed.intermediary.connections).toBe(1);
    await expectToWork(staying, kind);
  });

  test(`a closing ${kind} closes its clients' connections, and refuses new ones`, async () => {
    const bed = makeBed({ kind });
    const connection = await bed.connect();
    await bed.intermediary.close();
    expect(await connection.closed).toMatchObject({ condition: "amqp:connection:forced" });
    expect(bed.intermediary.connections).toBe(0);
    await expect(bed.connect()).rejects.toThrow();
    await bed.intermediary.close();
  });
});

function makeBed(options: IntermediaryOptions): IntermediaryBed {
  const bed = new IntermediaryBed(options);
  onTestFinished(() => bed.close());
  return bed;
}

/** Expects that a message is still delivered on this connection. */
async function expectToWork(connection: Connection, kind: IntermediaryOptions["kind"]): Promise<void> {
  const received = new Promise<string>((resolve, reject) => {
    const onDelivery = (delivery: { accept(): void }): void => {
      delivery.accept();
      resolve(kind);
    };
    const source = { address: "still/working" };
    connection.openReceiver({ name: "still working", source, target: {}, credit: 1, onDelivery }).catch(reject);
  });
  const target = { address: "still/working" };
  const producer = await connection.openSender({ name: "still working too", source: {}, target });
  expect(await producer.send(textMessage("x"), UNSETTLED)).toEqual(ACCEPTED);
  expect(await received).toBe(kind);
}

/** Sends bytes on a new stream. Resolves with the answer once the stream is closed or a header has arrived. */
async function sayHello(bed: IntermediaryBed, bytes: number[]): Promise<Uint8Array> {
  const answer: number[] = [];
  let done = (): void => {};
  const ended = new Promise<void>((resolve) => {
    done = resolve;
  });
  const handlers = {
    data(received: Uint8Array) {
      answer.push(...received);
      if (bytes.length === 8 && answer.length >= 8) done();
    },
    drain() {},
    close: () => done(),
  };
  const to = { scheme: "amqp", hostname: "raw", port: 1 };
  const socket = await memoryDial(bed.intermediary.accept)(to, handlers, AbortSignal.timeout(5_000));
  socket.send(Uint8Array.from(bytes));
  await ended;
  socket.close();
  return Uint8Array.from(answer);
}
