import { describe, expect, it } from "vitest";
import { ACCEPTED, encoded, receiverWith, sameLink, senderWith, text, transfer } from "@/test/fixtures/beds/raw-bed.js";
import { accepted, WINDOW } from "@/test/fixtures/peers/raw-peer.js";

describe("windows", () => {
  it("messages above the peer's incoming window wait until it opens", async () => {
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

  it("a message is split into frames of the peer's size, and waits for its window", async () => {
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

  it("the incoming window is announced again before it is used up", async () => {
    const { peer, delivered } = await receiverWith(5000);
    for (let id = 0; id < 1024; id++) peer.send("transfer", transfer(id, { settled: true }), { payload: encoded("m") });
    await delivered(1024);
    const { fields } = await peer.next("flow");
    expect([fields["next_incoming_id"], fields["incoming_window"]]).toEqual([1024, 2048]);
  });

  it("a peer that overruns the window loses its connection", async () => {
    const { peer, connection } = await receiverWith(5000);
    const frames: Uint8Array[] = [];
    const send = peer.sendBytes.bind(peer);
    peer.sendBytes = (bytes) => void frames.push(bytes);
    for (let id = 0; id < 2049; id++) peer.send("transfer", transfer(id, { settled: true }), { payload: encoded("m") });
    send(Buffer.concat(frames)); // in one turn: no frame of ours comes between
    expect((await connection.closed)?.message).toContain("window-violation");
  });

  it("transfers and deliveries are counted beyond 2^32", async () => {
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

  it("an opening window serves waiting links in turn", async () => {
    const { peer, connection, sender } = await senderWith(100, {}, { incoming_window: 0 });
    const opening = connection.openSender({ name: "2", source: {}, target: {} });
    const attach = await peer.next("attach");
    peer.send("attach", { ...sameLink(attach.fields), handle: 1, role: true });
    peer.send("flow", { ...WINDOW, incoming_window: 0, handle: 1, delivery_count: 0, link_credit: 100 });
    const second = await opening;
    for (let i = 0; i < 3; i++) for (const link of [sender, second]) void link.send(text("m"), { settled: true });
    const handles: unknown[] = [];
    for (let id = 0; id < 6; id++) {
      peer.send("flow", { ...WINDOW, next_incoming_id: id, incoming_window: 1 });
      handles.push((await peer.next("transfer")).fields["handle"]);
    }
    expect(handles).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it("sending waits for a full socket, and continues at its drain", async () => {
    const { peer, sender } = await senderWith(1_000_000, {}, { incoming_window: 2 ** 32 - 1 });
    const payload = new Uint8Array(60_000);
    const sent = Array.from({ length: 200 }, () => sender.send(payload, { settled: true }));
    expect(sender.queued).toBeGreaterThan(100); // the memory transport buffers 1 MiB
    await Promise.all(sent);
    for (let i = 0; i < 200; i++) await peer.next("transfer");
  });
});
