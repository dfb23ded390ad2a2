import { describe, expect, it } from "vitest";
import {
  BEGIN,
  connectTo,
  encoded,
  opened,
  receiverWith,
  senderWith,
  text,
  transfer,
} from "@/test/fixtures/beds/raw-bed.js";
import { RawPeer, WINDOW } from "@/test/fixtures/peers/raw-peer.js";

describe("untrusted input", () => {
  const cases: readonly [string, (peer: RawPeer) => void, string][] = [
    ["a frame of 4 GB", (peer) => peer.sendBytes(Buffer.from("ffffffff02000000", "hex")), "frame of 4294967295 bytes"],
    [
      "a frame smaller than its header",
      (peer) => peer.sendBytes(Buffer.from("0000000402000000", "hex")),
      "frame of 4 bytes",
    ],
    ["a data offset into the header", (peer) => peer.sendBytes(Buffer.from("0000000801000000", "hex")), "data offset"],
    [
      "a SASL frame after SASL",
      (peer) => peer.sendBytes(Buffer.from("0000000802010000", "hex")),
      "unsupported frame type 1",
    ],
    ["a transfer without a session", (peer) => peer.send("transfer", transfer(0), { channel: 9 }), "channel 9"],
    ["a session that is not accepted", (peer) => peer.send("begin", { ...BEGIN }, { channel: 7 }), "amqp:not-allowed"],
    [
      "a session on a channel above our maximum",
      (peer) => peer.send("begin", { ...BEGIN }, { channel: 4096 }),
      "channel 4096",
    ],
    ["a performative that AMQP does not have", (peer) => peer.sendBytes(frame("005319c0010000")), "0x19"],
    ["a SASL performative in an AMQP frame", (peer) => peer.sendBytes(frame("00534445")), "0x44"],
    ["an attach without a list", (peer) => peer.sendBytes(frame("005312a10161")), "str8 where list was expected"],
    ["an attach without a role", (peer) => peer.sendBytes(frame("005312c00603a101614340")), "attach without role"],
    [
      "an attach with a text as its handle",
      (peer) => peer.sendBytes(frame("005312c00803a10161a1016141")),
      "str8 where uint",
    ],
    ["bytes after a close", (peer) => peer.sendBytes(frame("0053184500")), "1 extra bytes after close"],
    [
      // rhea would read 0x50 as the type, and the ubyte as an array of 4 * 10^9 nulls
      "an array without a type, which would shift rhea's reading",
      (peer) => peer.sendBytes(frame("005318c01201e0010050f07000000000ffffffff404040")),
      "no bytes left for a value",
    ],
    ["a second open", (peer) => peer.send("open", { container_id: "again" }), "Open already received"],
  ];

  it.each(cases)("%s ends the connection with an error that names it", async (_name, send, message) => {
    const { peer, connection } = await opened();
    send(peer);
    expect((await connection.closed)?.message).toContain(message);
    await peer.next("close", ["begin"]);
  });

  it.each([0, 48, 511])(
    "an open with a max-frame-size of %s, below the minimum, is refused",
    async (max_frame_size) => {
      const peer = new RawPeer();
      const connecting = connectTo(peer);
      const refused = expect(connecting).rejects.toThrow(`max-frame-size of ${max_frame_size}`);
      await peer.next("open");
      peer.send("open", { container_id: "raw", max_frame_size });
      await refused;
      await peer.next("close");
    },
  );

  it("a sender splits a message into frames of 512 bytes when the peer accepts no larger ones", async () => {
    const { peer, sender } = await senderWith(10, { max_frame_size: 512 });
    void sender.send(text("x".repeat(2_000)), { settled: true });
    for (let more = true; more; ) {
      const { size, fields } = await peer.next("transfer");
      expect(size).toBeLessThanOrEqual(512);
      more = fields["more"] === true;
    }
  });

  it("a performative with a malformed array is refused before rhea reads it", async () => {
    const { peer, connection } = await opened();
    // close { error = array32 of 2^32-1 nulls }
    peer.sendBytes(frame("005318d00000000f00000001f000000005ffffffff40"));
    expect((await connection.closed)?.name).toBe("ProtocolError");
  });

  it("a transfer, a flow or a detach for a handle that is not attached ends the connection", async () => {
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

/** An AMQP frame with this performative, in hex. */
function frame(performative: string): Uint8Array {
  const bytes = Buffer.from(`0000000002000000${performative}`, "hex");
  bytes.writeUInt32BE(bytes.length);
  return bytes;
}
