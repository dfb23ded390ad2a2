import { describe, expect, test } from "vitest";
import { AmqpError, type AmqpErrorInit } from "@/src/core/errors.js";
import type { Outcome } from "@/src/core/messages/outcome.js";
import { begun, error, opened, senderWith, text } from "@/test/fixtures/beds/raw-bed.js";
import { rejected } from "@/test/fixtures/peers/raw-peer.js";

const INFO = { hostname: "vhost", "network-host": "b.example", port: 5_673, address: "queue-7" };
const TEXTS = { ...INFO, port: "5673" };

/** The error of a rejected message. */
function errorOf(outcome: Outcome): AmqpErrorInit {
  if (outcome.type !== "rejected" || outcome.error === undefined) throw new Error(`no error: ${outcome.type}`);
  return outcome.error;
}

describe("the info of an error", () => {
  test("the error of a connection that is redirected names host and port", async () => {
    const { peer, connection } = await opened();
    const { address: _, ...info } = INFO;
    peer.send("close", { error: error("amqp:connection:redirect", "moved", info) });
    expect(await connection.closed).toMatchObject({
      name: "AmqpError",
      message: "amqp:connection:redirect: moved: host b.example, port 5673",
      info: { hostname: "vhost", "network-host": "b.example", port: "5673" },
    });
  });

  test("the error of a link that is refused by a redirect names host, port and address", async () => {
    const { peer, connection } = await opened();
    const opening = connection.openSender({ name: "s", source: {}, target: { address: "gone" } });
    const refused = expect(opening).rejects.toMatchObject({
      message: "amqp:link:redirect: host b.example, port 5673, address queue-7",
      info: TEXTS,
    });
    await begun(peer);
    const { fields } = await peer.next("attach");
    peer.send("attach", { name: fields["name"], handle: 0, role: true, source: fields["source"] });
    peer.send("detach", { handle: 0, closed: true, error: error("amqp:link:redirect", undefined, INFO) });
    await refused;
  });

  test("the error of a session that the peer ends has its info", async () => {
    const { peer, sender } = await senderWith(0);
    const outcome = sender.send(text("m"), { settled: false });
    peer.send("end", { error: error("amqp:session:errant-link", "no", { link: "s" }) });
    expect(await outcome).toMatchObject({ type: "unsent", error: { info: { link: "s" } } });
  });

  test("the error of a rejected message has its info", async () => {
    const { peer, sender } = await senderWith(10);
    const outcome = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    const state = rejected(
      error("amqp:resource-limit-exceeded", "full", { limit: 5, list: [1], none: null, ok: true }),
    );
    peer.send("disposition", { role: true, first: 0, settled: true, state });
    expect(await outcome).toEqual({
      type: "rejected",
      error: { condition: "amqp:resource-limit-exceeded", description: "full", info: { limit: "5", ok: "true" } },
    });
  });

  test("the info of an error is bounded, because it is untrusted input", async () => {
    const { peer, connection, sender } = await senderWith(10);
    const info = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`key${i}`, "x".repeat(i === 0 ? 5_000 : 1)]),
    );
    const large = error("amqp:internal-error", "no", info);
    const outcome = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, settled: true, state: rejected(large) });
    peer.send("close", { error: large });
    for (const { info: kept = {} } of [errorOf(await outcome), (await connection.closed) as AmqpError]) {
      expect(Object.keys(kept)).toHaveLength(100);
      expect(Math.max(...Object.values(kept).map((value) => value.length))).toBe(1_024);
    }
  });

  test("a member of the info named __proto__ is data", async () => {
    const { peer, sender } = await senderWith(10);
    const outcome = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    const info = Object.fromEntries([["__proto__", "x"]]);
    peer.send("disposition", { role: true, first: 0, settled: true, state: rejected(error("a:b", undefined, info)) });
    expect(Object.entries(errorOf(await outcome).info ?? {})).toEqual([["__proto__", "x"]]);
  });
});

describe("the text of an error", () => {
  test.each([
    [{ condition: "amqp:not-found" }, "amqp:not-found"],
    [{ condition: "amqp:not-found", description: "" }, "amqp:not-found"],
    [{ condition: "amqp:not-found", info: TEXTS }, "amqp:not-found"],
    [{ condition: "amqp:link:redirect", info: {} }, "amqp:link:redirect"],
    [{ condition: "amqp:link:redirect", info: { address: "q" } }, "amqp:link:redirect: address q"],
    [{ condition: "amqp:connection:redirect", info: { hostname: "h" } }, "amqp:connection:redirect: host h"],
  ])("the text of %j is %s", (init, message) => {
    expect(new AmqpError(init).message).toBe(message);
  });

  test("an error without info has undefined as info", () => {
    expect(new AmqpError({ condition: "amqp:not-found" }).info).toBeUndefined();
  });
});
