import { describe, expect, it, onTestFinished } from "vitest";
import type { Connection, ConnectionOptions } from "../../../src/core/connection.js";
import { Deadlines } from "../../../src/core/deadlines.js";
import type { Delivery } from "../../../src/core/delivery.js";
import { connect } from "../../../src/core/handshake.js";
import { encodeMessage, type Message } from "../../../src/core/message.js";
import type { Outcome } from "../../../src/core/outcome.js";
import { Writer } from "../../../src/core/writer.js";
import { memoryDial } from "../../../src/transports/memory.js";
import { accepted, RawPeer, released, stateCode, WINDOW } from "../../support/raw-peer.js";

const TO = { scheme: "amqp+memory", hostname: "raw", port: 0 };

interface Opened {
  peer: RawPeer;
  connection: Connection;
}

/** Ours and a raw peer, open to each other. */
async function opened(open: Record<string, unknown> = {}, options: Partial<ConnectionOptions> = {}): Promise<Opened> {
  const peer = new RawPeer();
  const sasl = { credentials: undefined };
  const connecting = connect(
    memoryDial(peer.accept),
    TO,
    { containerId: "ours", sasl, ...options },
    new AbortController().signal,
  );
  await peer.next("open");
  peer.send("open", { container_id: "raw", ...open });
  const connection = await connecting;
  onTestFinished(async () => {
    peer.hangUp();
    await connection.closed;
  });
  return { peer, connection };
}

async function begun(peer: RawPeer, begin: Record<string, unknown> = {}): Promise<void> {
  const { channel } = await peer.next("begin");
  const window = { next_outgoing_id: 0, incoming_window: 1000, outgoing_window: 1000 };
  peer.send("begin", { remote_channel: channel, ...window, ...begin });
}

async function senderWith(credit: number, open = {}, begin: { incoming_window?: number } = {}, attach = {}) {
  const { peer, connection } = await opened(open);
  const opening = connection.openSender({ name: "s", source: {}, target: { address: "q" } });
  await begun(peer, begin);
  await peer.attachAsReceiver(credit, attach, begin.incoming_window);
  return { peer, connection, sender: await opening };
}

async function receiverWith(credit: number, begin = {}, attach = {}, options: Partial<ConnectionOptions> = {}) {
  const { peer, connection } = await opened({}, options);
  const deliveries: Delivery[] = [];
  let wake = (): void => {};
  const opening = connection.openReceiver({
    name: "r",
    source: { address: "q" },
    target: {},
    credit,
    onDelivery: (delivery) => {
      deliveries.push(delivery);
      wake();
    },
  });
  await begun(peer, begin);
  const flow = await peer.attachAsSender(attach);
  const delivered = async (count: number): Promise<Delivery[]> => {
    while (deliveries.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return deliveries;
  };
  return { peer, connection, receiver: await opening, flow, deliveries, delivered };
}

function text(value: string): Message {
  return { body: { type: "value", value } };
}

function encoded(value: string): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, text(value));
  return writer.take();
}

function transfer(id: number, more: Record<string, unknown> = {}) {
  return { handle: 0, delivery_id: id, delivery_tag: Buffer.from([id]), message_format: 0, ...more };
}

const ACCEPTED = { type: "accepted" } as const;

describe("credit", () => {
  it("lets no more messages leave than the peer has granted, and the next ones in order when it grants more", async () => {
    const { peer, sender } = await senderWith(2);
    const outcomes = Array.from({ length: 5 }, (_, i) => sender.send(text(`m${i}`), { settled: true }));
    await peer.next("transfer");
    const second = await peer.next("transfer");
    expect([sender.credit, sender.queued]).toEqual([0, 3]);
    expect(second.fields["delivery_id"]).toBe(1);
    peer.send("flow", { ...WINDOW, next_incoming_id: 2, handle: 0, delivery_count: 2, link_credit: 3 });
    for (const id of [2, 3, 4]) expect((await peer.next("transfer")).fields["delivery_id"]).toBe(id);
    expect(await Promise.all(outcomes)).toEqual(Array(5).fill(ACCEPTED));
  });

  it("counts what is on its way against a grant that was made before it came", async () => {
    const { peer, sender } = await senderWith(3);
    for (let i = 0; i < 3; i++) void sender.send(text("m"), { settled: true });
    for (let i = 0; i < 3; i++) await peer.next("transfer");
    const waiting = sender.send(text("late"), { settled: true });
    // Granted by a peer that had seen one of the three: two of its three are used up already.
    peer.send("flow", { ...WINDOW, next_incoming_id: 1, handle: 0, delivery_count: 1, link_credit: 3 });
    await peer.next("transfer");
    await waiting;
    expect(sender.credit).toBe(0);
  });

  it("gives unused credit back when the peer drains", async () => {
    const { peer, sender } = await senderWith(10);
    await sender.send(text("m"), { settled: true });
    await peer.next("transfer");
    peer.send("flow", { ...WINDOW, next_incoming_id: 1, handle: 0, delivery_count: 1, link_credit: 9, drain: true });
    const { fields } = await peer.next("flow");
    expect([fields["delivery_count"], fields["link_credit"], fields["drain"]]).toEqual([10, 0, true]);
    expect(sender.credit).toBe(0);
  });

  it("answers an echo for a link and for a session", async () => {
    const { peer } = await senderWith(10);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 7, echo: true });
    expect((await peer.next("flow")).fields["link_credit"]).toBe(7);
    peer.send("flow", { ...WINDOW, echo: true });
    expect((await peer.next("flow")).fields["handle"]).toBeFalsy();
  });

  it("returns a receiver's credit as deliveries are settled, not as they come", async () => {
    const { peer, flow, delivered } = await receiverWith(4);
    expect(flow.fields["link_credit"]).toBe(4);
    for (let id = 0; id < 4; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const deliveries = await delivered(4);
    for (const delivery of deliveries.slice(0, 3)) delivery.accept();
    const disposition = await peer.next("disposition");
    expect([disposition.fields["first"], disposition.fields["last"]]).toEqual([0, 2]);
    const returned = await peer.next("flow");
    expect([returned.fields["delivery_count"], returned.fields["link_credit"]]).toEqual([4, 3]);
  });

  it("withdraws a receiver's credit by draining, and says when the peer has given it back", async () => {
    const { peer, receiver, delivered } = await receiverWith(10);
    peer.send("transfer", transfer(0, { settled: true }), { payload: encoded("m") });
    await delivered(1);
    const drained = receiver.drain();
    expect((await peer.next("flow")).fields["drain"]).toBe(true);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 10, link_credit: 0, drain: true });
    await drained;
    expect(receiver.credit).toBe(0);
  });

  it("ends the connection of a peer that sends without credit", async () => {
    const { peer, connection } = await receiverWith(1);
    for (let id = 0; id < 2; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const close = await peer.next("close", ["disposition", "flow"]);
    expect(JSON.stringify(close.fields)).toContain("amqp:link:transfer-limit-exceeded");
    expect((await connection.closed)?.message).toContain("without credit");
  });
});

describe("windows", () => {
  it("keeps what is over the peer's incoming window until it opens", async () => {
    const { peer, sender } = await senderWith(100, {}, { incoming_window: 2 });
    const outcomes = Array.from({ length: 4 }, (_, i) => sender.send(text(`m${i}`), { settled: true }));
    await peer.next("transfer");
    await peer.next("transfer");
    expect(sender.queued).toBe(2);
    peer.send("flow", { ...WINDOW, next_incoming_id: 2, incoming_window: 2 });
    await peer.next("transfer");
    await peer.next("transfer");
    await Promise.all(outcomes);
  });

  it("cuts a message into frames that the peer takes, pauses between them, and goes on", async () => {
    const { peer, sender } = await senderWith(10, { max_frame_size: 512 }, { incoming_window: 3 });
    const message = text("0123456789".repeat(300));
    const outcome = sender.send(message, { settled: false });
    const pieces: Uint8Array[] = [];
    let window = 0;
    for (;;) {
      const frame = await peer.next("transfer");
      expect(frame.size).toBeLessThanOrEqual(512);
      pieces.push(frame.payload ?? new Uint8Array());
      if (!frame.fields["more"]) break;
      if (++window % 3 === 0) peer.send("flow", { ...WINDOW, next_incoming_id: window, incoming_window: 3 });
    }
    expect(Buffer.concat(pieces)).toEqual(Buffer.from(encoded("0123456789".repeat(300))));
    peer.send("disposition", { role: true, first: 0, settled: true, state: accepted() });
    expect(await outcome).toEqual(ACCEPTED);
  });

  it("announces its own window again before it is used up", async () => {
    const { peer, delivered } = await receiverWith(5000);
    for (let id = 0; id < 1024; id++) peer.send("transfer", transfer(id, { settled: true }), { payload: encoded("m") });
    await delivered(1024);
    const { fields } = await peer.next("flow");
    expect([fields["next_incoming_id"], fields["incoming_window"]]).toEqual([1024, 2048]);
  });

  it("ends the connection of a peer that overruns the window", async () => {
    const { peer, connection } = await receiverWith(5000);
    const frames: Uint8Array[] = [];
    const send = peer.sendBytes.bind(peer);
    peer.sendBytes = (bytes) => void frames.push(bytes);
    for (let id = 0; id < 2049; id++) peer.send("transfer", transfer(id, { settled: true }), { payload: encoded("m") });
    send(Buffer.concat(frames)); // in one turn: nothing we say can come between
    expect((await connection.closed)?.message).toContain("window-violation");
  });

  it("counts transfers and deliveries beyond 2^32", async () => {
    const start = 2 ** 32 - 2;
    const attach = { initial_delivery_count: start };
    const { peer, delivered, receiver } = await receiverWith(4, { next_outgoing_id: start }, attach);
    for (let i = 0; i < 4; i++) {
      peer.send("transfer", transfer((start + i) >>> 0), { payload: encoded(`m${i}`) });
    }
    for (const delivery of await delivered(4)) delivery.accept();
    const { fields } = await peer.next("disposition");
    expect([fields["first"], fields["last"]]).toEqual([start, 1]);
    const flow = await peer.next("flow");
    expect([flow.fields["next_incoming_id"], flow.fields["delivery_count"]]).toEqual([2, 2]);
    expect(receiver.credit).toBe(4);
  });
});

describe("deliveries", () => {
  it("puts a message together from its frames, and drops one that is aborted", async () => {
    const { peer, delivered } = await receiverWith(10);
    const whole = encoded("one two three");
    peer.send("transfer", transfer(0, { more: true }), { payload: encoded("half") });
    peer.send("transfer", { handle: 0, aborted: true });
    peer.send("transfer", transfer(1, { more: true }), { payload: whole.subarray(0, 5) });
    peer.send("transfer", { handle: 0, more: true }, { payload: whole.subarray(5, 6) });
    peer.send("transfer", { handle: 0 }, { payload: whole.subarray(6) });
    const [delivery] = await delivered(1);
    expect(delivery?.message.body).toEqual({ type: "value", value: "one two three" });
    expect(delivery?.id).toBe(1);
  });

  it("answers each delivery with its own outcome, though all are settled in one turn", async () => {
    const { peer, delivered } = await receiverWith(10);
    for (let id = 0; id < 5; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const [a, b, c, d, e] = await delivered(5);
    a?.accept();
    b?.accept();
    c?.release();
    d?.reject({ condition: "amqp:not-allowed", description: "no" });
    e?.modify({ deliveryFailed: true, undeliverableHere: true });
    const said = [];
    for (let i = 0; i < 4; i++) {
      const { fields } = await peer.next("disposition");
      said.push([fields["first"], fields["last"], stateCode(fields["state"])]);
    }
    expect(said).toEqual([
      [0, 1, 0x24],
      [2, 2, 0x26],
      [3, 3, 0x25],
      [4, 4, 0x27],
    ]);
  });

  it("rejects a message over the limit, and goes on", async () => {
    const { peer, delivered } = await receiverWith(10, {}, {}, { maxMessageBytes: 100 });
    const large = encoded("x".repeat(60));
    peer.send("transfer", transfer(0, { more: true }), { payload: large });
    peer.send("transfer", { handle: 0 }, { payload: large });
    const { fields } = await peer.next("disposition");
    expect(JSON.stringify(fields)).toContain("message-size-exceeded");
    peer.send("transfer", transfer(1), { payload: encoded("small") });
    expect((await delivered(1)).map(({ id }) => id)).toEqual([1]);
  });

  it("ends the connection of a peer that leaves too much incomplete", async () => {
    const { peer, connection } = await receiverWith(10, {}, {}, { maxMessageBytes: 20_000 });
    expect(connection.isOpen).toBe(true);
    const opening: Promise<unknown>[] = [];
    for (let handle = 1; handle <= 5; handle++) {
      const init = { name: `r${handle}`, source: { address: "q" }, target: {}, credit: 1, onDelivery() {} };
      opening.push(connection.openReceiver(init));
      const { fields } = await peer.next("attach", ["flow"]);
      const { name, source, target } = fields;
      peer.send("attach", { name, handle, role: false, source, target, initial_delivery_count: 0 });
    }
    await Promise.all(opening);
    const payload = new Uint8Array(18_000);
    for (let handle = 0; handle <= 5; handle++) {
      peer.send("transfer", transfer(handle, { handle, more: true }), { payload });
    }
    expect((await connection.closed)?.message).toContain("incomplete deliveries");
  });
});

describe("outcomes", () => {
  it("tells each sender what became of its message, by a disposition over a range", async () => {
    const { peer, sender } = await senderWith(10);
    const outcomes = [0, 1, 2].map((i) => sender.send(text(`m${i}`), { settled: false }));
    for (let i = 0; i < 3; i++) await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, last: 1, settled: true, state: accepted() });
    peer.send("disposition", { role: true, first: 2, last: 2 ** 31 - 1, settled: true, state: released() });
    expect(await Promise.all(outcomes)).toEqual([ACCEPTED, ACCEPTED, { type: "released" }]);
  });

  it("settles in return when the peer waits for that", async () => {
    const { peer, sender } = await senderWith(10);
    const outcome = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, settled: false, state: accepted() });
    expect(await outcome).toEqual(ACCEPTED);
    const { fields } = await peer.next("disposition");
    expect([fields["role"], fields["first"], fields["settled"]]).toEqual([false, 0, true]);
  });

  it("is unknown for what had left and unsent for what had not, when the link goes", async () => {
    const { peer, sender } = await senderWith(1);
    const sent = sender.send(text("sent"), { settled: false });
    const queued = sender.send(text("queued"), { settled: false });
    await peer.next("transfer");
    peer.send("detach", { handle: 0, closed: true, error: error("amqp:resource-deleted") });
    expect([(await sent).type, (await queued).type]).toEqual(["unknown", "unsent"]);
    expect(reason(await sent)).toContain("amqp:resource-deleted");
    expect((await sender.send(text("after"), { settled: false })).type).toBe("unsent");
  });

  it("is unknown or unsent when the connection goes", async () => {
    const { peer, sender, connection } = await senderWith(1);
    const sent = sender.send(text("sent"), { settled: false });
    const queued = sender.send(text("queued"), { settled: false });
    await peer.next("transfer");
    peer.hangUp();
    expect([(await sent).type, (await queued).type]).toEqual(["unknown", "unsent"]);
    expect((await connection.closed)?.name).toBe("ConnectionLost");
  });

  it("is a rejection, without a transfer, for a message that the peer would not take", async () => {
    const { peer, sender } = await senderWith(10, {}, {}, { max_message_size: 100 });
    const outcome = await sender.send(text("x".repeat(200)), { settled: false });
    expect(outcome).toMatchObject({ type: "rejected", error: { condition: "amqp:link:message-size-exceeded" } });
    await sender.send(text("small"), { settled: true });
    expect((await peer.next("transfer")).fields["delivery_id"]).toBe(0);
  });

  it("ends a wait at its deadline, and the message does not leave afterwards", async () => {
    const { peer, sender } = await senderWith(0);
    const deadline = new Deadlines().start({ ms: 20, expired: (phase) => new Error(`over in phase ${phase}`) });
    await expect(sender.send(text("late"), { settled: false, deadline })).rejects.toThrow("over in phase credit");
    expect(sender.queued).toBe(0);
    void sender.send(text("next"), { settled: true });
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 5 });
    expect(Buffer.from((await peer.next("transfer")).payload ?? []).toString()).toContain("next");
  });

  it("never lets a link without credit delay another", async () => {
    const { peer, connection, sender: dead } = await senderWith(0);
    const waiting = Array.from({ length: 1000 }, () => dead.send(text("dead"), { settled: false }));
    const opening = connection.openSender({ name: "live", source: {}, target: { address: "live" } });
    const { fields } = await peer.next("attach");
    peer.send("attach", { ...pick(fields), handle: 1, role: true });
    peer.send("flow", { ...WINDOW, handle: 1, delivery_count: 0, link_credit: 10 });
    const live = await opening;
    expect(await live.send(text("live"), { settled: true })).toEqual(ACCEPTED);
    expect(dead.queued).toBe(1000);
    peer.hangUp();
    expect(new Set((await Promise.all(waiting)).map(({ type }) => type))).toEqual(new Set(["unsent"]));
  });
});

describe("opening", () => {
  it("fails with the peer's reason when it opens only to close", async () => {
    const peer = new RawPeer();
    const options = { containerId: "ours", sasl: { credentials: undefined } };
    const connecting = connect(memoryDial(peer.accept), TO, options, new AbortController().signal);
    const failed = expect(connecting).rejects.toThrow("amqp:unauthorized-access: nobody");
    await peer.next("open");
    peer.send("open", { container_id: "raw", properties: { "amqp:connection-establishment-failed": true } });
    peer.send("close", { error: error("amqp:unauthorized-access", "nobody") });
    await failed;
    await peer.next("close");
  });
});

describe("links and sessions", () => {
  it("rejects with the peer's reason when a link is refused", async () => {
    const { peer, connection } = await opened();
    const opening = connection.openSender({ name: "s", source: {}, target: { address: "gone" } });
    const refused = expect(opening).rejects.toThrow("amqp:not-found: no such node");
    await begun(peer);
    const { fields } = await peer.next("attach");
    peer.send("attach", { name: fields["name"], handle: 0, role: true, source: fields["source"] });
    peer.send("detach", { handle: 0, closed: true, error: error("amqp:not-found", "no such node") });
    await refused;
    await peer.next("detach");
  });

  it("gives no credit on a link that is refused", async () => {
    const { peer, connection } = await opened();
    const opening = connection.openReceiver({ name: "r", source: {}, target: {}, credit: 5, onDelivery() {} });
    const refused = expect(opening).rejects.toThrow("amqp:not-found");
    await begun(peer);
    const { fields } = await peer.next("attach");
    peer.send("attach", { name: fields["name"], handle: 0, role: false, initial_delivery_count: 0 });
    peer.send("detach", { handle: 0, closed: true, error: error("amqp:not-found") });
    await refused;
    expect((await peer.next("detach")).name).toBe("detach"); // and no flow before it
  });

  it("takes another session when the peer takes no more links on the first", async () => {
    const { peer, connection } = await opened();
    const first = connection.openSender({ name: "1", source: {}, target: { address: "q" } });
    await begun(peer, { handle_max: 0 });
    await peer.attachAsReceiver(1);
    await first;
    const second = connection.openSender({ name: "2", source: {}, target: { address: "q" } });
    const begin = await peer.next("begin");
    expect(begin.channel).toBe(1);
    const window = { next_outgoing_id: 0, incoming_window: 10, outgoing_window: 10 };
    peer.send("begin", { remote_channel: 1, ...window }, { channel: 1 });
    const { fields } = await peer.next("attach");
    peer.send("attach", { ...pick(fields), handle: 0, role: true }, { channel: 1 });
    expect((await second).attached).toBe(true);
  });

  it("finds room for links that are opened all at once", async () => {
    const { peer, connection } = await opened();
    const opening = Array.from({ length: 30 }, (_, i) =>
      connection.openSender({ name: `${i}`, source: {}, target: { address: "q" } }),
    );
    const perSession = new Map<number, number>();
    const serving = (async () => {
      for (let attached = 0; attached < 30; ) {
        const { name, channel, fields } = await peer.any();
        if (name === "begin") {
          const window = { next_outgoing_id: 0, incoming_window: 10, outgoing_window: 10, handle_max: 15 };
          peer.send("begin", { remote_channel: channel, ...window }, { channel });
        } else {
          attached++;
          perSession.set(channel, (perSession.get(channel) ?? 0) + 1);
          peer.send("attach", { ...pick(fields), handle: Number(fields["handle"]), role: true }, { channel });
        }
      }
    })();
    await Promise.all([...opening, serving]);
    expect(Math.max(...perSession.values())).toBeLessThanOrEqual(16);
  });

  it("tells the links of a session that the peer ends, and opens the next link on a new one", async () => {
    const { peer, connection } = await opened();
    const ends: (string | undefined)[] = [];
    const init = { name: "s", source: {}, target: { address: "q" } };
    const opening = connection.openSender({ ...init, onDetach: (cause) => ends.push(cause?.message) });
    await begun(peer);
    await peer.attachAsReceiver(1);
    const sender = await opening;
    peer.send("end", { error: error("amqp:session:errant-link", "bad link") });
    await peer.next("end");
    expect(ends).toEqual(["amqp:session:errant-link: bad link"]);
    expect(sender.attached).toBe(false);
    const again = connection.openSender(init);
    await begun(peer);
    await peer.attachAsReceiver(1);
    expect((await again).attached).toBe(true);
  });

  it("closes once, in order, and resolves every close()", async () => {
    const { peer, connection, sender } = await senderWith(1);
    const closing = [sender.close(), connection.close(), connection.close()];
    await peer.next("detach");
    await peer.next("close");
    peer.send("close", {});
    await Promise.all(closing);
    expect(await connection.closed).toBeUndefined();
    await expect(connection.openSender({ name: "x", source: {}, target: {} })).rejects.toThrow("closed");
  });

  it("rejects a link that waits when the connection goes before the session has begun", async () => {
    const { peer, connection } = await opened();
    const opening = connection.openSender({ name: "s", source: {}, target: {} });
    const rejected = expect(opening).rejects.toMatchObject({ name: "ConnectionLost" });
    await peer.next("begin");
    peer.hangUp();
    await rejected;
  });
});

describe("heartbeats", () => {
  it("are sent to a peer that asks for them", async () => {
    const { peer } = await opened({ idle_time_out: 100 });
    expect((await peer.next("empty")).size).toBe(8);
    await peer.next("empty");
  });

  it("announces half of the silence that is borne, and ends the connection after all of it", async () => {
    const peer = new RawPeer();
    const options = { containerId: "ours", idleTimeoutMs: 200, sasl: { credentials: undefined } };
    const connecting = connect(memoryDial(peer.accept), TO, options, new AbortController().signal);
    expect((await peer.next("open")).fields["idle_time_out"]).toBe(100);
    peer.send("open", { container_id: "raw" });
    const connection = await connecting;
    expect((await connection.closed)?.message).toMatch(/nothing came for \d+ ms/);
    const close = await peer.next("close");
    expect(JSON.stringify(close.fields)).toContain("amqp:resource-limit-exceeded");
  });
});

describe("bytes from strangers", () => {
  const cases: readonly [string, (peer: RawPeer) => void, string][] = [
    ["a frame of 4 GB", (peer) => peer.sendBytes(Buffer.from("ffffffff02000000", "hex")), "frame of 4294967295 bytes"],
    [
      "a frame smaller than its header",
      (peer) => peer.sendBytes(Buffer.from("0000000402000000", "hex")),
      "frame of 4 bytes",
    ],
    ["a data offset into the header", (peer) => peer.sendBytes(Buffer.from("0000000801000000", "hex")), "data offset"],
    ["a SASL frame behind SASL", (peer) => peer.sendBytes(Buffer.from("0000000802010000", "hex")), "frame of type 1"],
    ["a transfer without a session", (peer) => peer.send("transfer", transfer(0), { channel: 9 }), "channel 9"],
    ["a session that nobody takes", (peer) => peer.send("begin", { ...BEGIN }, { channel: 7 }), "amqp:not-allowed"],
    ["an open again", (peer) => peer.send("open", { container_id: "again" }), "Open already received"],
  ];

  it.each(cases)("%s ends the connection, and names what was wrong", async (_name, send, message) => {
    const { peer, connection } = await opened();
    send(peer);
    expect((await connection.closed)?.message).toContain(message);
    await peer.next("close", ["begin"]);
  });

  it("refuses a performative with poison in it before rhea sees it", async () => {
    const { peer, connection } = await opened();
    // close { error = array32 of 2^32-1 nulls }
    const body = Buffer.from("005318d00000000f00000001f000000005ffffffff40", "hex");
    const head = Buffer.from("0000000002000000", "hex");
    head.writeUInt32BE(head.length + body.length, 0);
    peer.sendBytes(Buffer.concat([head, body]));
    expect((await connection.closed)?.name).toBe("ProtocolError");
  });

  it("refuses a transfer, a flow or a detach for a handle that is not attached", async () => {
    for (const send of [
      (peer: RawPeer) => peer.send("transfer", transfer(0, { handle: 5 }), { payload: encoded("m") }),
      (peer: RawPeer) => peer.send("flow", { ...WINDOW, handle: 5, delivery_count: 0, link_credit: 1 }),
      (peer: RawPeer) => peer.send("detach", { handle: 5, closed: true }),
    ]) {
      const { peer, connection } = await receiverWith(1);
      send(peer);
      expect((await connection.closed)?.message).toMatch(/handle 5/);
    }
  });
});

const BEGIN = { next_outgoing_id: 0, incoming_window: 1, outgoing_window: 1 };

function error(condition: string, description?: string): object {
  return { condition, description };
}

function pick({ name, source, target }: Record<string, unknown>): Record<string, unknown> {
  return { name, source, target };
}

function reason(outcome: Outcome): string {
  return outcome.type === "unknown" || outcome.type === "unsent" ? outcome.error.message : "";
}
