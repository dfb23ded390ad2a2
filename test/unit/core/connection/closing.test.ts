import { afterEach, describe, expect, it, vi } from "vitest";
import {
  ACCEPTED,
  connectTo,
  encoded,
  receiverWith,
  senderWith,
  text,
  transfer,
} from "@/test/fixtures/beds/raw-bed.js";
import { accepted, RawPeer, stateCode, WINDOW } from "@/test/fixtures/peers/raw-peer.js";

describe("closing", () => {
  afterEach(() => void vi.useRealTimers());

  it("a connection closes once, in order, and every close() resolves", async () => {
    const { peer, connection, sender } = await senderWith(1);
    const closing = [sender.close(), connection.close(), connection.close()];
    await peer.next("detach");
    await peer.next("close");
    peer.send("close", {});
    await Promise.all(closing);
    expect(await connection.closed).toBeUndefined();
    await expect(connection.openSender({ name: "x", source: {}, target: {} })).rejects.toThrow("closed");
  });

  it("a closing connection writes nothing after its close: new messages are unsent, new links rejected", async () => {
    const { peer, connection, sender } = await senderWith(10);
    const before = sender.send(text("before"), { settled: false });
    const closing = connection.close();
    const after = sender.send(text("after"), { settled: true });
    const opening = connection.openSender({ name: "x", source: {}, target: {} });
    await expect(opening).rejects.toMatchObject({ name: "ConnectionLost" });
    await peer.next("transfer");
    await peer.next("close");
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 10, echo: true });
    peer.send("disposition", { role: true, first: 0, settled: true, state: accepted() });
    expect(await before).toEqual(ACCEPTED);
    peer.send("close", {});
    await closing;
    expect((await after).type).toBe("unsent");
    expect(peer.received.at(-1)?.name).toBe("close");
  });

  it("a closing connection ignores deliveries that arrive after its close, which it could not settle", async () => {
    const { peer, connection, deliveries, delivered } = await receiverWith(10);
    peer.send("transfer", transfer(0), { payload: encoded("m") });
    const [delivery] = await delivered(1);
    delivery?.accept();
    const closing = connection.close();
    expect(stateCode((await peer.next("disposition")).fields["state"])).toBe(0x24);
    await peer.next("close");
    peer.send("transfer", transfer(1), { payload: encoded("m") });
    peer.send("close", {});
    await closing;
    expect(deliveries).toHaveLength(1);
    expect(peer.received.at(-1)?.name).toBe("close");
  });

  it("a closing connection ends without an error when the peer hangs up or sends rubbish", async () => {
    for (const answer of [
      (peer: RawPeer) => peer.hangUp(),
      (peer: RawPeer) => peer.sendBytes(Uint8Array.of(0, 0, 0, 1, 2, 3, 4, 5)),
    ]) {
      const { peer, connection } = await senderWith(1);
      const closing = connection.close();
      await peer.next("close");
      answer(peer);
      await closing;
      expect(await connection.closed).toBeUndefined();
    }
  });

  it("a closing connection ends after 2 s when the peer never answers, and leaves no timer behind", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    const peer = new RawPeer();
    const connecting = connectTo(peer, { idleTimeoutMs: 60_000 });
    await peer.next("open");
    peer.send("open", { container_id: "raw", idle_time_out: 30_000 });
    const connection = await connecting;
    expect(vi.getTimerCount()).toBe(1);
    const closing = connection.close();
    await peer.next("close");
    vi.advanceTimersByTime(2_000);
    await closing;
    await peer.closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a connection answers the peer's close and writes nothing after it", async () => {
    const { peer, connection, sender } = await senderWith(10);
    peer.send("close", { error: { condition: "amqp:connection:forced", description: "maintenance" } });
    await peer.next("close");
    expect((await connection.closed)?.message).toBe("amqp:connection:forced: maintenance");
    expect((await sender.send(text("m"), { settled: true })).type).toBe("unsent");
    expect(peer.received.at(-1)?.name).toBe("close");
  });
});
