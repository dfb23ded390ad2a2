import { describe, expect, it } from "vitest";
import {
  decodeReply,
  decodeRequest,
  encodeFailure,
  encodeNotification,
  encodeReply,
  encodeRequest,
  HEARTBEAT,
  monitorSeconds,
} from "@/src/driver/amqp/wire.js";
import { MessagingException } from "@/src/driver/exceptions.js";

const FAILURE = { excType: "E", module: "m", message: "no", traceback: [], args: ["no"], kwargs: {} };

describe("a request", () => {
  it("is JSON text in an amqp-value section, its members in Python's order", () => {
    const body = { version: "1.0", namespace: "n", args: { b: 1, a: 2 }, method: "echo" };
    expect(encodeRequest({ context: { user: "u" }, body, callMonitorTimeoutMs: 5_000 })).toEqual({
      type: "value",
      value:
        '{"request":{"method":"echo","args":{"b":1,"a":2},"namespace":"n","version":"1.0"},"context":{"user":"u"},"call_monitor_timeout":5}',
    });
  });

  it("has no namespace, no version and no monitor when there is none", () => {
    const body = { method: "ping", args: {}, namespace: undefined };
    expect(encodeRequest({ context: {}, body }).type).toBe("value");
    expect(encodeRequest({ context: {}, body })).toHaveProperty(
      "value",
      '{"request":{"method":"ping","args":{}},"context":{}}',
    );
  });

  it("is read as it was sent", () => {
    const body = { method: "echo", args: { text: "héllo\u2028\ud83d\ude00" }, namespace: "n", version: "1.0" };
    const context = { user: null };
    expect(decodeRequest({ body: encodeRequest({ body, context, callMonitorTimeoutMs: 2_000 }) })).toEqual({
      body,
      context,
      callMonitorTimeoutMs: 2_000,
    });
  });

  it("is refused when it holds what JSON cannot, naming it", () => {
    const body = { method: "echo", args: { arg: Number.NaN } };
    expect(() => encodeRequest({ body, context: {} })).toThrow("request.args.arg is NaN");
  });
});

describe("the call monitor's time", () => {
  it.each([
    [1, 2],
    [2_000, 2],
    [2_001, 3],
    [30_000, 30],
    [Number.POSITIVE_INFINITY, 2_147_483],
  ])("of %s ms travels as %s s", (ms, seconds) => {
    expect(monitorSeconds(ms)).toBe(seconds);
  });

  it.each([
    ["2", 2_000],
    ["2.9", 2_000],
    ["1", 1_000],
    ["1e300", 2 ** 31 - 1],
    ["123456789012345678901234567890", 2 ** 31 - 1],
    ["0", undefined],
    ["0.5", undefined],
    ["-5", undefined],
    ["null", undefined],
    ['"5"', undefined],
    ["[5]", undefined],
    ["true", undefined],
  ])("of %s s is read as %s ms", (seconds, ms) => {
    const value = `{"request":{},"context":{},"call_monitor_timeout":${seconds}}`;
    expect(decodeRequest({ body: { type: "value", value } }).callMonitorTimeoutMs).toBe(ms);
  });
});

describe("a notification", () => {
  const body = { event_type: "e", payload: { a: 1n } };

  it("goes without an envelope as version 1", () => {
    const encoded = encodeNotification({ body, context: {}, envelope: false });
    expect(encoded).toHaveProperty("value", '{"request":{"event_type":"e","payload":{"a":1}},"context":{}}');
  });

  it("goes in an envelope as version 2, and is read out of it", () => {
    const encoded = encodeNotification({ body, context: { c: 1 }, envelope: true });
    expect(encoded).toHaveProperty(
      "value",
      '{"request":{"oslo.version":"2.0","oslo.message":"{\\"event_type\\":\\"e\\",\\"payload\\":{\\"a\\":1}}"},"context":{"c":1}}',
    );
    expect(decodeRequest({ body: encoded })).toMatchObject({
      body: { event_type: "e", payload: { a: 1 } },
      context: { c: 1 },
    });
  });
});

describe("an envelope", () => {
  const open = (request: unknown): unknown =>
    decodeRequest({ body: { type: "value", value: JSON.stringify({ request }) } }).body;

  it("is opened whatever is in it", () => {
    expect(open({ "oslo.version": "2.0", "oslo.message": "[1,2]" })).toEqual([1, 2]);
    expect(open({ "oslo.version": "2.0", "oslo.message": '"text"', more: 1 })).toBe("text");
  });

  it("needs both members, else it is the message itself", () => {
    for (const request of [{ "oslo.version": "2.0" }, { "oslo.message": "{}" }, {}, [1], "text", 5, null]) {
      expect(open(request)).toEqual(request);
    }
  });

  it.each(["3.0", "2.1", "1.0", "two", "", 2, null, [], "9".repeat(10_000)])("of version %j is refused", (version) => {
    const decode = () => open({ "oslo.version": version, "oslo.message": "{}" });
    expect(decode).toThrow(MessagingException);
    expect(decode).toThrow(/^Specified RPC envelope version, .{0,40}, not supported by this endpoint\.$/);
  });

  it("that holds no JSON text is refused, naming what is wrong", () => {
    expect(() => open({ "oslo.version": "2.0", "oslo.message": "{" })).toThrow('"oslo.message" is not JSON');
    expect(() => open({ "oslo.version": "2.0", "oslo.message": {} })).toThrow(
      '"oslo.message" is not JSON text but an object',
    );
  });
});

describe("a reply", () => {
  it.each([[{ a: [1, null] }], [null], [""], [0], [false], [12345678901234567890n]])(
    "of %o is read as it was sent",
    (value) => {
      expect(decodeReply({ body: encodeReply(value) })).toEqual({ type: "response", value });
    },
  );

  it("of nothing is null, as Python's None", () => {
    expect(encodeReply(undefined)).toEqual({ type: "value", value: '{"response":null}' });
    expect(decodeReply({ body: { type: "value", value: "{}" } })).toEqual({ type: "response", value: null });
  });

  it("with a failure is that failure, as JSON text within the JSON", () => {
    const body = encodeFailure(FAILURE);
    expect(body).toHaveProperty(
      "value",
      '{"failure":"{\\"class\\":\\"E\\",\\"module\\":\\"m\\",\\"message\\":\\"no\\",\\"tb\\":[],\\"args\\":[\\"no\\"],\\"kwargs\\":{}}"}',
    );
    expect(decodeReply({ body })).toEqual({ type: "failure", failure: FAILURE });
  });

  it("with a failure of null is a response", () => {
    expect(decodeReply({ body: { type: "value", value: '{"failure":null,"response":1}' } })).toEqual({
      type: "response",
      value: 1,
    });
  });

  it("without a body, or with null, is a heartbeat", () => {
    expect(decodeReply({})).toEqual({ type: "heartbeat" });
    expect(decodeReply({ body: HEARTBEAT })).toEqual({ type: "heartbeat" });
  });
});

describe("a body from a stranger", () => {
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

  it("may be a data section of UTF-8", () => {
    expect(decodeReply({ body: { type: "data", bytes: utf8('{"response":"é"}') } })).toEqual({
      type: "response",
      value: "é",
    });
  });

  it.each([
    [
      { type: "data", bytes: Uint8Array.of(0xff, 0xfe) } as const,
      "is a data section of 2 bytes that are not UTF-8 text",
    ],
    [{ type: "sequence", items: [] } as const, "is an amqp-sequence section"],
    [{ type: "value", value: 5 } as const, "is an amqp-value section that holds a number, not text"],
    [{ type: "value", value: 5n } as const, "is an amqp-value section that holds a bigint, not text"],
    [{ type: "value", value: utf8("{}") } as const, "is an amqp-value section that holds 2 bytes, not text"],
    [{ type: "value", value: new Map() } as const, "is an amqp-value section that holds an object, not text"],
    [{ type: "value", value: "hello" } as const, "is not JSON: 5 characters that cannot be parsed"],
    [{ type: "value", value: "" } as const, "is not JSON: 0 characters"],
    [{ type: "value", value: '{"response":NaN}' } as const, "is not JSON: NaN at character 12"],
    [{ type: "value", value: "[]" } as const, "is not a JSON object but a list"],
    [{ type: "value", value: "null" } as const, "is not a JSON object but null"],
    [{ type: "value", value: '"text"' } as const, "is not a JSON object but a string"],
  ])("is refused, naming what is wrong: case %#", (body, message) => {
    for (const [decode, what] of [
      [decodeReply, "The body of a reply"],
      [decodeRequest, "The body of a request"],
    ] as const) {
      expect(() => decode({ body })).toThrow(MessagingException);
      expect(() => decode({ body })).toThrow(`${what} ${message}`);
    }
  });

  it("is no request when there is none, or null", () => {
    expect(() => decodeRequest({})).toThrow("The body of a request is missing");
    expect(() => decodeRequest({ body: HEARTBEAT })).toThrow("The body of a request is missing");
    expect(() => decodeRequest({ body: { type: "value", value: "{}" } })).toThrow('has no "request"');
  });

  it("may have no context, but not one that is no object", () => {
    const decode = (value: string) => decodeRequest({ body: { type: "value", value } });
    expect(decode('{"request":{}}').context).toEqual({});
    expect(decode('{"request":{},"context":null}').context).toEqual({});
    for (const context of ['"s3cr3t"', "5", "[1]", "true"]) {
      expect(() => decode(`{"request":{},"context":${context}}`)).toThrow(
        /^The context of a request is not an object but a/,
      );
    }
  });

  it("whose failure cannot be read is refused too", () => {
    const body = { type: "value", value: '{"failure":"no JSON"}' } as const;
    expect(() => decodeReply({ body })).toThrow("The failure in a reply is not JSON");
  });
});
