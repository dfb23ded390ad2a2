import { expect, test } from "vitest";
import { runChecks } from "@/src/cli/check/amqp-checks.js";
import { amqpConnection } from "@/src/driver/amqp/amqp-connection.js";
import { type Frame, getRpcTransport, type RPCTransport } from "@/src/entry/node.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";

function transportTo(intermediary: Intermediary, onFrame?: (frame: Frame) => void): RPCTransport {
  return getRpcTransport("amqp+memory://bus/", {
    dialers: { "amqp+memory": memoryDial(intermediary.accept) },
    onFrame,
  });
}

function limits(signal: AbortSignal = new AbortController().signal) {
  return { timeoutMs: 5_000, quietMs: 20, signal };
}

test("the checks detach every link that they attached", async () => {
  const sent: string[] = [];
  const transport = transportTo(new Intermediary({ kind: "broker" }), ({ direction, performative }) => {
    if (direction === "out") sent.push(performative);
  });
  const { checks } = await runChecks(await amqpConnection(transport), limits());
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  await transport.close();
  const times = (name: string): number => sent.filter((performative) => performative === name).length;
  expect(times("attach")).toBeGreaterThan(18);
  expect(times("detach")).toBe(times("attach"));
});

test("the checks end when the connection closes, and each one says why it failed", async () => {
  const intermediary = new Intermediary({ kind: "router" });
  await using transport = transportTo(intermediary);
  const running = runChecks(await amqpConnection(transport), { ...limits(), quietMs: 200 });
  await intermediary.close();
  const { checks } = await running;
  expect(checks).toHaveLength(7);
  for (const { ok, detail } of checks) {
    expect(ok).toBe(false);
    expect(detail).toMatch(/no listener got .*amqp:connection:forced|closing|closed/);
  }
});

test("the checks reject with the reason of the signal", async () => {
  await using transport = transportTo(new Intermediary({ kind: "router" }));
  const abort = new AbortController();
  const running = runChecks(await amqpConnection(transport), { ...limits(abort.signal), quietMs: 60_000 });
  const reason = new Error("enough");
  const ended = expect(running).rejects.toBe(reason);
  abort.abort(reason);
  await ended;
});

test("the checks reject with the reason of a signal that is aborted already, and attach no link", async () => {
  const sent: string[] = [];
  const onFrame = ({ performative }: Frame): number => sent.push(performative);
  await using transport = transportTo(new Intermediary({ kind: "router" }), onFrame);
  const bus = await amqpConnection(transport);
  const reason = new Error("enough");
  await expect(runChecks(bus, limits(AbortSignal.abort(reason)))).rejects.toBe(reason);
  expect(sent).not.toContain("attach");
});
