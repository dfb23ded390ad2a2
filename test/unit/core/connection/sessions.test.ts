import { describe, expect, it } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import type { Sender } from "@/src/core/links/sender.js";
import { begun, opened } from "@/test/fixtures/beds/raw-bed.js";
import { type RawPeer, WINDOW } from "@/test/fixtures/peers/raw-peer.js";
import { answer, endSession } from "@/test/fixtures/peers/raw-rabbit.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

/** Attaches a link with the next session of the peer, if it is to begin one. Resolves with the link and its channel. */
async function attach(
  { peer, connection }: { peer: RawPeer; connection: Connection },
  session: object | undefined,
  { name, begins }: { name: string; begins: boolean },
): Promise<{ sender: Sender; channel: number }> {
  const opening = connection.openSender({ name, source: {}, target: { address: "q" }, session });
  if (begins) await begun(peer);
  const frame = await peer.next("attach");
  answer(peer, frame);
  return { sender: await opening, channel: frame.channel };
}

describe("sessions", () => {
  it("links with the same key share a session of their own, and all others another one", async () => {
    const bed = await opened();
    const key = {};
    const own = await attach(bed, key, { name: "1", begins: true });
    const shared = await attach(bed, key, { name: "2", begins: false });
    const common = await attach(bed, undefined, { name: "3", begins: true });
    const other = await attach(bed, {}, { name: "4", begins: true });
    const another = await attach(bed, undefined, { name: "5", begins: false });
    expect(shared.channel).toBe(own.channel);
    expect(another.channel).toBe(common.channel);
    expect(new Set([own, common, other].map(({ channel }) => channel)).size).toBe(3);
  });

  it.each([
    ["of a key", {}],
    ["of all others", undefined],
  ])("a session %s stays when it has no links", async (_kind, key) => {
    const bed = await opened();
    const { sender, channel } = await attach(bed, key, { name: "1", begins: true });
    const closing = sender.close();
    await bed.peer.next("detach");
    bed.peer.send("detach", { handle: 0, closed: true }, { channel });
    await closing;
    expect((await attach(bed, key, { name: "2", begins: false })).channel).toBe(channel);
  });

  it("a link with the key of a session that the peer has ended begins another one", async () => {
    const bed = await opened();
    const key = {};
    const { sender, channel } = await attach(bed, key, { name: "1", begins: true });
    endSession(bed.peer, channel, "amqp:unauthorized-access", "no");
    await waitFor("the end", () => !sender.attached);
    await bed.peer.next("end");
    await attach(bed, key, { name: "2", begins: true });
  });

  it("the end of one session ends its links only", async () => {
    const bed = await opened();
    const lost = await attach(bed, {}, { name: "1", begins: true });
    const kept = await attach(bed, {}, { name: "2", begins: true });
    endSession(bed.peer, lost.channel, "amqp:unauthorized-access", "no");
    await waitFor("the end", () => !lost.sender.attached);
    expect(kept.sender.attached).toBe(true);
  });

  it("an attach has the further fields of its link", async () => {
    const { peer, connection } = await opened();
    const fields = {
      properties: { paired: true, size: 1, name: "n" },
      snd_settle_mode: 1,
      max_message_size: 0,
    } as const;
    const opening = connection.openReceiver({ name: "r", source: {}, target: {}, credit: 1, fields, onDelivery() {} });
    await begun(peer);
    const attach = await peer.next("attach");
    expect(attach.fields).toMatchObject(fields);
    answer(peer, attach, { initial_delivery_count: 0 });
    await opening;
  });

  it("a sender is blocked while the peer announces a window of 0", async () => {
    const bed = await opened();
    const { sender, channel } = await attach(bed, {}, { name: "1", begins: true });
    expect(sender.isBlocked).toBe(false);
    for (const incoming_window of [0, 5]) {
      bed.peer.send("flow", { ...WINDOW, incoming_window }, { channel });
      await waitFor("the flow", () => sender.isBlocked === (incoming_window === 0));
    }
  });
});
