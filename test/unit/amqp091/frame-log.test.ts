import { describe, expect, it } from "vitest";
import { AMQP091_FRAMES, describeFrame } from "@/src/amqp091/frame-log.js";
import type { MethodName, SentFields } from "@/src/amqp091/methods.js";
import type { Frame } from "@/src/core/frames/frame-log.js";
import { FrameTap } from "@/src/core/frames/frame-tap.js";
import { frame, headerFrame, methodFrame } from "@/test/fixtures/peers/raw-broker.js";

function described<M extends MethodName>(name: M, fields: SentFields<M>): Frame {
  return describeFrame("out", methodFrame(3, name, fields));
}

describe("the log of frames", () => {
  it("a method has its name and its fields, without reserved ones", () => {
    const fields = {
      queue: "q",
      durable: true,
      arguments: { "x-expires": 1, a: [null, 2n ** 60n, new Date(0), Buffer.of(0xff)] },
    };
    expect(described("queue.declare", fields)).toEqual({
      direction: "out",
      channel: 3,
      performative: "queue.declare",
      fields: {
        queue: "q",
        passive: false,
        durable: true,
        exclusive: false,
        autoDelete: false,
        noWait: false,
        arguments: { "x-expires": 1, a: [null, "1152921504606846976", "1970-01-01T00:00:00.000Z", "0xff"] },
      },
      bytes: expect.any(Number),
    });
  });

  it.each<[MethodName, object]>([
    ["connection.start-ok", { response: Buffer.from("geheim") }],
    ["connection.secure", { challenge: Buffer.from("geheim") }],
    ["connection.secure-ok", { response: Buffer.from("geheim") }],
    ["connection.update-secret", { newSecret: Buffer.from("geheim") }],
  ])("%s is described without its secret", (name, fields) => {
    const frame = described(name, fields);
    expect(frame.performative).toBe(name);
    expect(JSON.stringify(frame)).not.toMatch(/geheim|response|challenge|newSecret/);
  });

  it.each([
    [
      "content-header",
      headerFrame(1, 5, { contentType: "t", priority: 0, headers: { compression: "c" } }),
      { bodySize: 5, contentType: "t", priority: 0, compression: "c" },
    ],
    ["content-body", frame(3, 1, Buffer.alloc(5)), { payloadBytes: 5 }],
    ["heartbeat", frame(8, 1, Buffer.alloc(0)), {}],
    ["unreadable", frame(1, 1, Buffer.of(0)), { reason: "SYNTAX_ERROR - 2 bytes needed, 1 left (502)" }],
  ])("other frames are called %s", (performative, bytes, fields) => {
    expect(describeFrame("in", bytes)).toEqual({
      direction: "in",
      channel: 1,
      performative,
      fields,
      bytes: bytes.length,
    });
  });

  it("a tap reports protocol headers and frames, and stops at an invalid size", () => {
    const seen: string[] = [];
    const tap = new FrameTap(AMQP091_FRAMES, "in", ({ performative, fields }) =>
      seen.push(`${performative} ${JSON.stringify(fields)}`),
    );
    const heartbeat = frame(8, 0, Buffer.alloc(0));
    tap.pass(Buffer.concat([Buffer.from("AMQP\0\0\x09\x01"), heartbeat.subarray(0, 3)]));
    tap.pass(heartbeat.subarray(3));
    tap.pass(Buffer.from("010000fffffff8", "hex"));
    tap.pass(heartbeat);
    expect(seen).toEqual(['header {"protocol":"AMQP 0-9-1"}', "heartbeat {}"]);
  });
});
