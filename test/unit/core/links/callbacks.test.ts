import { describe, expect, it } from "vitest";
import { ACCEPTED, encoded, receiverWith, sameLink, senderWith, text, transfer } from "@/test/fixtures/beds/raw-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { stateCode, WINDOW } from "@/test/fixtures/peers/raw-peer.js";

/** A faulty callback of a user. */
function explode(): never {
  throw new Error("the user's mistake");
}

describe("callbacks that throw", () => {
  it("an onDelivery that throws fails its delivery, is logged, and later deliveries arrive", async () => {
    const logger = new RecordingLogger();
    const { peer, connection } = await receiverWith(10, {}, {}, { logger }, { onDelivery: explode });
    peer.send("transfer", transfer(0), { payload: encoded("m") });
    peer.send("transfer", transfer(1), { payload: encoded("m") });
    const { fields } = await peer.next("disposition");
    expect([fields["first"], fields["last"], stateCode(fields["state"])]).toEqual([0, 1, 0x27]);
    expect(connection.isOpen).toBe(true);
    expect(logger.of("error")).toHaveLength(2);
    expect(logger.of("error")[0]).toContain("the user's mistake");
  });

  it("an onCredit that throws is logged, and the credit can be used", async () => {
    const logger = new RecordingLogger();
    const { connection, sender, peer } = await senderWith(3, {}, {}, {}, { onCredit: explode, options: { logger } });
    expect(await sender.send(text("m"), { settled: true })).toEqual(ACCEPTED);
    await peer.next("transfer");
    expect(connection.isOpen).toBe(true);
    expect(logger.of("error")[0]).toContain("onCredit of link s");
  });

  it("an onDetach that throws does not affect other links at the end of the connection", async () => {
    const logger = new RecordingLogger();
    const { connection, peer, sender } = await senderWith(1, {}, {}, {}, { onDetach: explode, options: { logger } });
    const told: string[] = [];
    const opening = connection.openSender({
      name: "2",
      source: {},
      target: {},
      onDetach: () => void told.push("2"),
    });
    const attach = await peer.next("attach");
    peer.send("attach", { ...sameLink(attach.fields), handle: 1, role: true });
    await opening;
    const sent = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    peer.hangUp();
    expect((await connection.closed)?.name).toBe("ConnectionLost");
    expect((await sent).type).toBe("unknown");
    expect(told).toEqual(["2"]);
    expect(logger.of("error")[0]).toContain("onDetach of link s");
  });

  it("an onDetach that throws does not affect the connection", async () => {
    const { connection, peer } = await senderWith(1, {}, {}, {}, { onDetach: explode });
    peer.send("detach", { handle: 0, closed: true });
    await peer.next("detach");
    peer.send("flow", { ...WINDOW, echo: true });
    await peer.next("flow");
    expect(connection.isOpen).toBe(true);
  });
});
