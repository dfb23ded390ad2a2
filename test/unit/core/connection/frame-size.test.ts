import { describe, expect, it } from "vitest";
import { begun, connectTo, encoded, opened, receiverWith, sameLink, transfer } from "@/test/fixtures/beds/raw-bed.js";
import { RawPeer } from "@/test/fixtures/peers/raw-peer.js";

const SMALLEST = { max_frame_size: 512 };

describe("a frame that does not fit into the peer's frames", () => {
  it.each([
    ["sender", { name: "s", source: {}, target: { address: "q".repeat(700) } }],
    ["receiver", { name: "r", source: { address: "q".repeat(700) }, target: {} }],
  ] as const)("an attach of a %s is not sent: opening rejects with the address and both sizes", async (role, init) => {
    const { peer, connection } = await opened(SMALLEST);
    const opening =
      role === "sender"
        ? connection.openSender(init)
        : connection.openReceiver({ ...init, credit: 1, onDelivery() {} });
    await begun(peer);
    await expect(opening).rejects.toMatchObject({
      name: "AmqpError",
      condition: "amqp:frame-size-too-small",
      description: expect.stringMatching(
        /^attach to q{700}: a frame of 7\d\d bytes exceeds the max-frame-size of 512$/,
      ),
    });
    const next = connection.openSender({ name: init.name, source: {}, target: { address: "short" } });
    const { fields } = await peer.next("attach");
    expect([fields["name"], fields["handle"]]).toEqual([init.name, 0]);
    peer.send("attach", { ...sameLink(fields), handle: 0, role: true });
    expect((await next).attached).toBe(true);
  });

  it("the same attach is sent to a peer with larger frames", async () => {
    const { peer, connection } = await opened({ max_frame_size: 1024 });
    const opening = connection.openSender({ name: "s", source: {}, target: { address: "q".repeat(700) } });
    await begun(peer);
    await peer.attachAsReceiver(1);
    expect((await opening).attached).toBe(true);
  });

  it("an Open above 512 bytes, which no peer has to accept, is not sent: connecting rejects", async () => {
    const peer = new RawPeer();
    await expect(connectTo(peer, { containerId: "c".repeat(600) })).rejects.toThrow(
      /^amqp:frame-size-too-small: container ID or hostname too long: a frame of 6\d\d bytes exceeds the max-frame-size of 512$/,
    );
    await peer.closed;
    expect(peer.received).toEqual([]);
  });

  it("a long error is shortened: the frame that reports it fits", async () => {
    const { peer, connection } = await opened(SMALLEST);
    const opening = connection.openSender({ name: "s", source: {}, target: { address: "q" } });
    await begun(peer);
    await peer.attachAsReceiver(1);
    const sender = await opening;
    const error = { condition: "c".repeat(1_000), description: "é".repeat(1_000) };
    void sender.close(error);
    void connection.close(error);
    const frames = [await peer.next("detach"), await peer.next("close")];
    for (const { size, fields } of frames) {
      expect(size).toBeLessThanOrEqual(512);
      expect(JSON.stringify(fields)).toContain("…");
    }
  });

  it("a long reason of a rejected delivery is shortened: its disposition fits", async () => {
    const { peer, delivered } = await receiverWith(1);
    peer.send("transfer", transfer(0), { payload: encoded("m") });
    const [delivery] = await delivered(1);
    delivery?.reject({ condition: "c".repeat(1_000), description: "漢".repeat(1_000) });
    expect((await peer.next("disposition")).size).toBeLessThanOrEqual(512);
  });
});

describe("half a surrogate pair, which UTF-8 cannot encode", () => {
  it.each([
    ["name", { name: "s\ud800", source: {}, target: { address: "q" } }],
    ["address", { name: "s", source: {}, target: { address: "q\udc00" } }],
  ])("opening a link with one in its %s rejects, and later links open", async (_where, init) => {
    const { peer, connection } = await opened();
    const opening = connection.openSender(init);
    await begun(peer);
    await expect(opening).rejects.toThrow("half a surrogate pair");
    const next = connection.openSender({ name: "s😀", source: {}, target: { address: "q😀" } });
    await peer.attachAsReceiver(1);
    expect((await next).target?.address).toBe("q😀");
  });
});
