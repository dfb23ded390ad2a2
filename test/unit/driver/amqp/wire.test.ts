import { describe, expect, it } from "vitest";
import {
  decodeReply,
  decodeRequest,
  encodeFailure,
  encodeNotification,
  encodeReply,
  encodeRequest,
  HEARTBEAT,
} from "@/src/driver/amqp/wire.js";
import { MessagingException } from "@/src/driver/exceptions.js";
import { monitorSeconds } from "@/src/driver/values/monitor-timeout.js";

const FAILURE = { excType: "E", module: "m", message: "no", traceback: [], args: ["no"], kwargs: {} };

describe("a request", () => {
  it("a request is JSON text in an amqp-value section, with its members in Python's order", () => {
    const body = { version: "1.0", namespace: "n", args: { b: 1, a: 2 }, method: "echo" };
    expect(encodeRequest({ context: { user: "u" }, body, callMonitorTimeoutMs: 5_000 })).toEqual({
      type: "value",
      value:
        '{"request":{"method":"echo","args":{"b":1,"a":2},"namespace":"n","version":"1.0"},"context":{"user":"u"},"call_monitor_timeout":5}',
    });
  });

  it("a request omits namespace, version and monitor timeout by default", () => {
    const body = { method: "ping", args: {}, namespace: undefined };
    expect(encodeRequest({ context: {}, body }).type).toBe("value");
    expect(encodeRequest({ context: {}, body })).toHaveProperty(
      "value",
      '{"request":{"method":"ping","args":{}},"context":{}}',
    );
  });

  it("a request is decoded as it was encoded", () => {
    const body = { method: "echo", args: { text: "héllo\u2028\ud83d\ude00" }, namespace: "n", version: "1.0" };
    const context = { user: null };
    expect(decodeRequest({ body: encodeRequest({ body, context, callMonitorTimeoutMs: 2_000 }) })).toEqual({
      body,
      context,
      callMonitorTimeoutMs: 2_000,
    });
  });

  it("a request with a value that JSON cannot hold is refused with its path", () => {
    const body = { method: "echo", args: { arg: Number.NaN } };
    expect(() => encodeRequest({ body, context: {} })).toThrow("request.args.arg is NaN");
  });
});

describe("the call monitor timeout", () => {
  it.each([
    [1, 2],
    [2_000, 2],
    [2_001, 3],
    [30_000, 30],
    [Number.POSITIVE_INFINITY, 2_147_483],
  ])("a monitor timeout of %s ms is sent as %s s", (ms, seconds) => {
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
  ])("a monitor timeout of %s s is read as %s ms", (seconds, ms) => {
    const value = `{"request":{},"context":{},"call_monitor_timeout":${seconds}}`;
    expect(decodeRequest({ body: { type: "value", value } }).callMonitorTimeoutMs).toBe(ms);
  });
});

describe("a notification", () => {
  const body = { event_type: "e", payload: { a: 1n } };

  it("a notification of version 1 has no envelope", () => {
    const encoded = encodeNotification({ body, context: {}, envelope: false });
    expect(encoded).toHaveProperty("value", '{"request":{"event_type":"e","payload":{"a":1}},"context":{}}');
  });

  it("a notification of version 2 has an envelope, and is read from it", () => {
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

  it("an envelope can contain any JSON value", () => {
    expect(open({ "oslo.version": "2.0", "oslo.message": "[1,2]" })).toEqual([1, 2]);
    expect(open({ "oslo.version": "2.0", "oslo.message": '"text"', more: 1 })).toBe("text");
  });

  it("a message without both members of an envelope has none", () => {
    for (const request of [{ "oslo.version": "2.0" }, { "oslo.message": "{}" }, {}, [1], "text", 5, null]) {
      expect(open(request)).toEqual(request);
    }
  });

  it.each(["3.0", "2.1", "1.0", "two", "", 2, null, [], "9".repeat(10_000)])(
    "an envelope of version %j is refused",
    (version) => {
      const decode = () => open({ "oslo.version": version, "oslo.message": "{}" });
      expect(decode).toThrow(MessagingException);
      expect(decode).toThrow(/^Specified RPC envelope version, .{0,40}, not supported by this endpoint\.$/);
    },
  );

  it("an envelope without JSON text is refused with the reason", () => {
    expect(() => open({ "oslo.version": "2.0", "oslo.message": "{" })).toThrow('"oslo.message" is not JSON');
    expect(() => open({ "oslo.version": "2.0", "oslo.message": {} })).toThrow(
      '"oslo.message" is not JSON text but an object',
    );
  });
});

describe("a reply", () => {
  it.each([[{ a: [1, null] }], [null], [""], [0], [false], [12345678901234567890n]])(
    "a reply of %o is decoded as it was encoded",
    (value) => {
      expect(decodeReply({ body: encodeReply(value) })).toEqual({ type: "response", value });
    },
  );

  it("a reply of undefined is null, as Python's None", () => {
    expect(encodeReply(undefined)).toEqual({ type: "value", value: '{"response":null}' });
    expect(decodeReply({ body: { type: "value", value: "{}" } })).toEqual({ type: "response", value: null });
  });

  it("a failure is JSON text within the JSON of its reply", () => {
    const body = encodeFailure(FAILURE);
    expect(body).toHaveProperty(
      "value",
      '{"failure":"{\\"class\\":\\"E\\",\\"module\\":\\"m\\",\\"message\\":\\"no\\",\\"tb\\":[],\\"args\\":[\\"no\\"],\\"kwargs\\":{}}"}',
    );
    expect(decodeReply({ body })).toEqual({ type: "failure", failure: FAILURE });
  });

  it("a reply with a failure of null is a response", () => {
    expect(decodeReply({ body: { type: "value", value: '{"failure":null,"response":1}' } })).toEqual({
      type: "response",
      value: 1,
    });
  });

  it("a reply without a body, or with null, is a heartbeat", () => {
    expect(decodeReply({})).toEqual({ type: "heartbeat" });
    expect(decodeReply({ body: HEARTBEAT })).toEqual({ type: "heartbeat" });
  });
});

describe("A body of another implementation", () => {
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

  it("a body may be a data section of UTF-8", () => {
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
    [{ type: "value", value: utf8("{}") } as const, "is an amqp-value section that holds a Uint8Array, not text"],
    [{ type: "value", value: new Map() } as const, "is an amqp-value section that holds a Map, not text"],
    [{ type: "value", value: "hello" } as const, "is not JSON: 5 characters that cannot be parsed"],
    [{ type: "value", value: "" } as const, "is not JSON: 0 characters"],
    [{ type: "value", value: '{"response":NaN}' } as const, "is not JSON: NaN at character 12"],
    [{ type: "value", value: "[]" } as const, "is not a JSON object but an array"],
    [{ type: "value", value: "null" } as const, "is not a JSON object but null"],
    [{ type: "value", value: '"text"' } as const, "is not a JSON object but a string"],
  ])("an unreadable body is refused with the reason: case %#", (body, message) => {
    for (const [decode, what] of [
      [decodeReply, "The body of a reply"],
      [decodeRequest, "The body of a request"],
    ] as const) {
      expect(() => decode({ body })).toThrow(MessagingException);
      expect(() => decode({ body })).toThrow(`${what} ${message}`);
    }
  });

  it("a missing body, and one of null, is no request", () => {
    expect(() => decodeRequest({})).toThrow("The body of a request is missing");
    expect(() => decodeRequest({ body: HEARTBEAT })).toThrow("The body of a request is missing");
    expect(() => decodeRequest({ body: { type: "value", value: "{}" } })).toThrow('has no "request"');
  });

  it("a request may omit its context, which must be an object", () => {
    const decode = (value: string) => decodeRequest({ body: { type: "value", value } });
    expect(decode('{"request":{}}').context).toEqual({});
    expect(decode('{"request":{},"context":null}').context).toEqual({});
    for (const context of ['"s3cr3t"', "5", "[1]", "true"]) {
      expect(() => decode(`{"request":{},"context":${context}}`)).toThrow(
        /^The context of a request is not an object but a/,
      );
    }
  });

  it("a reply whose failure cannot be read is refused", () => {
    const decode = (failure: unknown) => () =>
      decodeReply({ body: { type: "value", value: JSON.stringify({ failure }) } });
    expect(decode("no JSON")).toThrow("The failure in a reply is not JSON");
    expect(decode(1)).toThrow("The failure in a reply is not JSON text but number");
  });
});
