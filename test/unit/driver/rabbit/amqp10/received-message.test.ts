import { describe, expect, it } from "vitest";
import { ProtocolError } from "@/src/core/errors.js";
import { readMessage } from "@/src/driver/rabbit/amqp10/received-message.js";
import { encodedMessage } from "@/test/fixtures/beds/raw-bed.js";
import { withHeaders } from "@/test/fixtures/peers/raw-rabbit.js";

/** Bytes with a meaning in AMQP. */
const BYTES = [0x00, 0x40, 0x53, 0xa1, 0xd1, 0xff];
const bytes = new TextEncoder().encode('{"a":1}');

describe("a received message", () => {
  it("has its body, its content type and its compression", () => {
    const properties = encodedMessage({ durable: true, to: "/queues/q", contentType: "application/json" });
    const payload = Buffer.concat([properties, withHeaders({ other: "x", compression: "zlib" }, bytes)]);
    expect(readMessage(payload)).toEqual({
      body: bytes,
      properties: { contentType: "application/json", compression: "zlib" },
    });
  });

  it("has a view of its bytes as body when that is one data section", () => {
    const payload = encodedMessage({ body: { type: "data", bytes } });
    expect(readMessage(payload).body.buffer).toBe(payload.buffer);
  });

  it.each([
    ["several data sections", Buffer.concat([data("ab"), data("c")]), "abc"],
    ["text", encodedMessage({ body: { type: "value", value: "é" } }), "é"],
    ["a binary value", encodedMessage({ body: { type: "value", value: Buffer.from("b") } }), "b"],
    ["null", encodedMessage({ body: { type: "value", value: null } }), ""],
    ["none", encodedMessage({ subject: "s" }), ""],
  ])("whose body is %s is read", (_kind, payload, body) => {
    expect(Buffer.from(readMessage(payload).body).toString()).toBe(body);
  });

  it("a malformed one is a ProtocolError, whatever it is", () => {
    const payload = Buffer.concat([encodedMessage({ contentType: "t" }), withHeaders({ compression: "z" }, bytes)]);
    let failures = 0;
    const changes = Array.from(payload.keys()).flatMap((at) => BYTES.map((byte) => ({ at, byte })));
    for (const { at, byte } of changes) {
      try {
        readMessage(payload.with(at, byte));
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        failures++;
      }
    }
    expect(failures).toBeGreaterThan(10);
  });
});

function data(text: string): Uint8Array {
  return encodedMessage({ body: { type: "data", bytes: Buffer.from(text) } }).subarray(8);
}
