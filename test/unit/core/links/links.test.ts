import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  BEGIN,
  begun,
  encoded,
  error,
  opened,
  receiverWith,
  sameLink,
  senderWith,
  transfer,
} from "@/test/fixtures/beds/raw-bed.js";
import { stateCode } from "@/test/fixtures/peers/raw-peer.js";

describe("links and sessions", () => {
  it("opening a refused link rejects with the peer's reason", async () => {
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

  it("no credit is granted on a refused link", async () => {
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

  it("a link uses another session when the first has no free handle", async () => {
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
    peer.send("attach", { ...sameLink(fields), handle: 0, role: true }, { channel: 1 });
    expect((await second).attached).toBe(true);
  });

  it("30 concurrent links are spread over sessions by their handle limit", async () => {
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
          peer.send("attach", { ...sameLink(fields), handle: Number(fields["handle"]), role: true }, { channel });
        }
      }
    })();
    await Promise.all([...opening, serving]);
    expect([...perSession.values()]).toEqual([16, 14]);
  });

  it("the links of an ended session are detached, and the next link uses a new session", async () => {
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

  it("opening a link rejects when the connection is lost before its session has begun", async () => {
    const { peer, connection } = await opened();
    const opening = connection.openSender({ name: "s", source: {}, target: {} });
    const rejected = expect(opening).rejects.toMatchObject({ name: "ConnectionLost" });
    await peer.next("begin");
    peer.hangUp();
    await rejected;
  });

  it("a link with a value that AMQP cannot encode rejects, and later links open", async () => {
    const { peer, connection } = await senderWith(1);
    const impossible = { name: "2", source: {}, target: { address: "q", capabilities: ["é"] } };
    await expect(connection.openSender(impossible)).rejects.toThrow("a symbol must be ASCII");
    const opening = connection.openSender({ ...impossible, target: { address: "q" } });
    const { fields } = await peer.next("attach");
    expect([fields["name"], fields["handle"]]).toEqual(["2", 1]);
    peer.send("attach", { ...sameLink(fields), handle: 1, role: true });
    expect((await opening).attached).toBe(true);
  });

  it("a link rejects when the peer allows no more sessions", async () => {
    const { peer, connection } = await opened({ channel_max: 0 });
    const first = connection.openSender({ name: "1", source: {}, target: { address: "q" } });
    await begun(peer, { handle_max: 0 });
    await peer.attachAsReceiver(1);
    await first;
    const second = connection.openSender({ name: "2", source: {}, target: { address: "q" } });
    await expect(second).rejects.toThrow("amqp:resource-limit-exceeded");
    expect(connection.isOpen).toBe(true);
  });

  it("a link rejects with the peer's reason when its session is ended at once", async () => {
    const { peer, connection } = await opened();
    const opening = connection.openSender({ name: "s", source: {}, target: {} });
    const rejected = expect(opening).rejects.toThrow("amqp:not-allowed: no sessions");
    const { channel } = await peer.next("begin");
    peer.send("begin", { ...BEGIN, remote_channel: channel });
    peer.send("end", { error: error("amqp:not-allowed", "no sessions") });
    await rejected;
    expect((await peer.any()).name).toBe("end");
  });

  it("an attach with the wrong role or a used handle ends the connection", async () => {
    for (const [fields, message] of [
      [{ handle: 1, role: false }, "role"],
      [{ handle: 0, role: true }, "handle 0"],
    ] as const) {
      const { peer, connection } = await senderWith(1);
      const opening = connection.openSender({ name: "2", source: {}, target: { address: "q" } });
      const rejected = expect(opening).rejects.toThrow(message);
      const attach = await peer.next("attach");
      peer.send("attach", { ...sameLink(attach.fields), ...fields });
      await rejected;
      expect((await connection.closed)?.message).toContain(message);
    }
  });
});

describe("detach and end", () => {
  it("a detach frees name and handle of its link at once", async () => {
    const init = { name: "s", source: {}, target: { address: "q" } };
    let again: Promise<unknown> | undefined;
    const { peer, connection } = await senderWith(
      1,
      {},
      {},
      {},
      { onDetach: () => (again = connection.openSender(init)) },
    );
    peer.send("detach", { handle: 0, closed: true });
    await peer.next("detach");
    const { fields } = await peer.next("attach");
    expect([fields["name"], fields["handle"]]).toEqual(["s", 0]);
    await new Promise((resolve) => setImmediate(resolve)); // rhea puts away what was detached two ticks later
    peer.send("attach", { ...sameLink(fields), handle: 0, role: true });
    expect(await again).toMatchObject({ name: "s", attached: true });
    peer.send("detach", { handle: 0, closed: true });
    expect((await peer.next("detach")).fields["handle"]).toBe(0);
  });

  it("close waits at most 2 s for the peer's detach", async () => {
    const { peer, sender, connection } = await senderWith(1);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let closed = false;
    const closing = sender.close().then(() => {
      closed = true;
    });
    const { fields } = await peer.next("detach");
    await vi.advanceTimersByTimeAsync(1_999);
    expect(closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await closing;
    peer.send("detach", { handle: 0, closed: fields["closed"] });
    await sender.close();
    expect(connection.isOpen).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a detach without closed is answered without closed", async () => {
    const { peer } = await senderWith(1);
    peer.send("detach", { handle: 0, closed: false });
    expect((await peer.next("detach")).fields["closed"]).toBe(false);
  });

  it("a second detach or end ends the connection", async () => {
    for (const [name, fields] of [
      ["detach", { handle: 0, closed: true }],
      ["end", {}],
    ] as const) {
      const { peer, connection } = await senderWith(1);
      peer.send(name, fields);
      peer.send(name, fields);
      await peer.next(name);
      expect((await connection.closed)?.name).toBe("ProtocolError");
      await peer.next("close");
    }
  });

  it("deliveries are answered before a later detach, end or close", async () => {
    for (const [name, fields] of [
      ["detach", { handle: 0, closed: true }],
      ["end", {}],
      ["close", {}],
    ] as const) {
      const bed = await receiverWith(10, {}, {}, {}, { onDelivery: (delivery) => delivery.accept() });
      bed.peer.send("transfer", transfer(0), { payload: encoded("m") });
      bed.peer.send(name, fields);
      expect(stateCode((await bed.peer.next("disposition")).fields["state"])).toBe(0x24);
      await bed.peer.next(name);
    }
  });

  it("no frame is sent for a detached link or an ended session", async () => {
    for (const [name, fields] of [
      ["detach", { handle: 0, closed: true }],
      ["end", {}],
    ] as const) {
      const { peer, connection, delivered, receiver } = await receiverWith(2);
      peer.send("transfer", transfer(0), { payload: encoded("m") });
      peer.send("transfer", transfer(1), { payload: encoded("m") });
      const deliveries = await delivered(2);
      peer.send(name, fields);
      await peer.next(name);
      for (const delivery of deliveries) delivery.accept();
      receiver.grant(5);
      await receiver.drain();
      void connection.close();
      expect((await peer.any()).name).toBe("close");
    }
  });

  it("credit for a closed link is ignored", async () => {
    const { peer, sender } = await senderWith(1);
    const closing = sender.close();
    peer.send("flow", { ...BEGIN, next_incoming_id: 0, handle: 0, delivery_count: 0, link_credit: 5, echo: true });
    await peer.next("detach");
    peer.send("detach", { handle: 0, closed: true });
    await closing;
    expect(sender.credit).toBe(0);
  });
});
