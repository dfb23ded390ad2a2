import { describe, expect, it } from "vitest";
import type { RequestBody } from "@/src/driver/driver.js";
import { MessagingException } from "@/src/driver/exceptions.js";
import {
  decodeReply,
  decodeRequest,
  encodeFailure,
  encodeHeartbeat,
  encodeNotification,
  encodeReply,
  encodeRequest,
  JSON_TYPE,
} from "@/src/driver/rabbit/wire.js";
import { failureToJson } from "@/src/driver/values/remote-failure.js";
import golden from "@/test/data/rabbit-golden.json";

// Bodies that Python's driver sent: ours has the same members in the same order.

type Members = Record<string, unknown>;

interface Frame {
  m: string;
  a?: { exchange?: string };
  b?: Members;
}

const bodies = Object.values(golden.scenarios as Record<string, readonly Frame[]>).flatMap((frames) =>
  frames.flatMap(({ m, b }) => (b !== undefined && /publish|deliver/.test(m) ? [textOf(b)] : [])),
);
const messages = [...new Set(bodies)].map((text) => ({ text, inner: innerOf(text) }));
const replies = messages.filter(({ inner }) => "ending" in inner);
const notifications = messages.filter(({ inner }) => "event_type" in inner);
const requests = messages.filter(({ inner }) => "method" in inner);

const IDS = { messageId: "1".repeat(32), uniqueId: "2".repeat(32) };

it("the recorded messages contain every kind of message", () => {
  expect(requests.length).toBeGreaterThan(10);
  expect(requests.filter(({ inner }) => typeof inner["_timeout"] === "number").length).toBeGreaterThan(0);
  expect(notifications.map(({ text }) => text.includes("oslo.version"))).toContain(false);
  expect(notifications.map(({ text }) => text.includes("oslo.version"))).toContain(true);
  expect(replies.map(({ inner }) => inner["ending"])).toContain(false);
  expect(replies.some(({ inner }) => inner["failure"] !== null)).toBe(true);
  expect(requests.length + notifications.length + replies.length).toBe(messages.length);
});

describe("recorded messages", () => {
  it.each(requests)("our encoding of a request equals Python's: $text", ({ text }) => {
    const { body, context, uniqueId = "", replyTo } = decodeRequest(received(text));
    expect(textIn(encodeRequest({ body: body as object as RequestBody, context, uniqueId, replyTo }))).toBe(text);
  });

  it.each(notifications)("our encoding of a notification equals Python's: $text", ({ text }) => {
    const { body, context, uniqueId = "", replyTo } = decodeRequest(received(text));
    expect(replyTo).toBeUndefined();
    const envelope = text.includes("oslo.version");
    expect(textIn(encodeNotification({ body, context, uniqueId, envelope }))).toBe(text);
  });

  it.each(replies)("our encoding of a reply equals Python's: $text", ({ text, inner }) => {
    const { messageId, reply, ending } = decodeReply(received(text));
    expect(ending).toBe(inner["ending"]);
    const ids = { messageId, uniqueId: String(inner["_unique_id"]) };
    const encoded = !ending
      ? encodeHeartbeat(ids)
      : reply?.type === "failure"
        ? encodeFailure(reply.failure, ids)
        : encodeReply(reply?.value, ids);
    expect(textIn(encoded)).toBe(text);
  });
});

describe("a request", () => {
  const body = { method: "echo", args: { a: 1n }, namespace: "n", version: "1.0" };

  it("a call has its ids after the message and before the context", () => {
    const replyTo = { messageId: "m", replyQueue: "reply_1", callMonitorTimeoutMs: 2_001 };
    expect(innerText(encodeRequest({ body, context: { user: "u", a: [] }, uniqueId: "i", replyTo }))).toBe(
      '{"method":"echo","args":{"a":1},"namespace":"n","version":"1.0",' +
        '"_msg_id":"m","_reply_q":"reply_1","_timeout":3,"_unique_id":"i","_context_user":"u","_context_a":[]}',
    );
  });

  it("a cast has neither message ID, reply queue nor timeout", () => {
    const cast = { method: "note", args: {} };
    expect(innerText(encodeRequest({ body: cast, context: {}, uniqueId: "i" }))).toBe(
      '{"method":"note","args":{},"_unique_id":"i"}',
    );
  });

  it("a value that JSON cannot hold is refused with its path", () => {
    const encode = (args: Members, context: object) => () =>
      encodeRequest({ body: { method: "echo", args }, context, uniqueId: "i" });
    expect(encode({ arg: Number.NaN }, {})).toThrow("args.arg is NaN");
    expect(encode({}, { user: Number.NaN })).toThrow("_context_user is NaN");
    expect(() => encodeReply({ a: Number.NaN }, IDS)).toThrow("result.a is NaN");
  });

  it("the members of the context are read, without those that Python adds", () => {
    const inner = { method: "m", _context_user: null, _context_msg_id: "x", _msg_id: "1", _reply_q: "2", _timeout: 5 };
    expect(decodeRequest(enveloped({ ...inner, _unique_id: "3" }))).toStrictEqual({
      body: { method: "m" },
      context: { user: null, msg_id: "x" },
      uniqueId: "3",
      replyTo: { messageId: "1", replyQueue: "2", callMonitorTimeoutMs: 5_000 },
    });
  });

  it.each([
    [{ _msg_id: "1" }],
    [{ _reply_q: "reply_1" }],
    [{ _msg_id: "", _reply_q: "reply_1" }],
    [{ _msg_id: 1, _reply_q: "reply_1" }],
    [{ _msg_id: "1", _reply_q: null }],
  ])("a sender that says %j does not wait for a reply", (ids) => {
    expect(decodeRequest(enveloped({ method: "m", ...ids }))).toEqual({ body: { method: "m" }, context: {} });
  });

  it("names that have a meaning in JavaScript are ordinary members", () => {
    const text = '{"__proto__":{"a":1},"_context___proto__":{"b":2},"_context_constructor":3}';
    const { body, context } = decodeRequest(received(text));
    expect(Object.entries(body)).toEqual([["__proto__", { a: 1 }]]);
    expect(Object.entries(context)).toEqual([
      ["__proto__", { b: 2 }],
      ["constructor", 3],
    ]);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(context)).toBe(Object.prototype);
  });

  it.each([
    ["[1]", "The body of a request is not a JSON object but an array"],
    ["", "The body of a request is not JSON"],
    ['{"oslo.version":"2.0","oslo.message":"[1]"}', "The message of a request is not a JSON object but an array"],
    ['{"oslo.version":"2.0","oslo.message":"null"}', "The message of a request is not a JSON object but null"],
    ['{"oslo.version":"2.0","oslo.message":{}}', '"oslo.message" is not JSON text but an object'],
    [
      '{"oslo.version":"3.0","oslo.message":"{}"}',
      "Specified RPC envelope version, 3.0, not supported by this endpoint.",
    ],
  ])("the body %s is refused", (text, message) => {
    const decode = () => decodeRequest(received(text));
    expect(decode).toThrow(MessagingException);
    expect(decode).toThrow(message);
  });

  it("bytes that are not UTF-8 are refused", () => {
    expect(() => decodeRequest({ body: Uint8Array.of(0x7b, 0xff), contentType: JSON_TYPE })).toThrow(
      "The body of a request is 2 bytes that are not UTF-8 text",
    );
  });

  it.each([
    [undefined, "no content type"],
    ["text/plain", "the content type text/plain"],
    ["x".repeat(200), `the content type ${"x".repeat(40)}`],
  ])("the content type %s is refused", (contentType, given) => {
    expect(() => decodeRequest({ body: new TextEncoder().encode("{}"), contentType })).toThrow(
      `The body of a request has ${given}, not application/json`,
    );
  });

  it("non-finite numbers are accepted where the option says so", () => {
    const message = { ...enveloped({}), body: new TextEncoder().encode('{"payload":NaN}') };
    expect(() => decodeRequest(message)).toThrow("NaN at character");
    expect(decodeRequest(message, "accept").body).toEqual({ payload: Number.NaN });
  });
});

describe("a reply", () => {
  it("the result, null for undefined, ends the call", () => {
    expect(innerText(encodeReply(undefined, IDS))).toBe(
      `{"result":null,"failure":null,"ending":true,"_msg_id":"${IDS.messageId}","_unique_id":"${IDS.uniqueId}"}`,
    );
    expect(decodeReply(received(textIn(encodeReply([1], IDS))))).toEqual({
      messageId: IDS.messageId,
      reply: { type: "response", value: [1] },
      ending: true,
    });
  });

  it("a failure is JSON text", () => {
    const failure = { excType: "E", module: "m", message: "no", traceback: [], args: ["no"], kwargs: {} };
    const encoded = encodeFailure(failure, IDS);
    expect(JSON.parse(innerText(encoded))).toMatchObject({ result: null, failure: failureToJson(failure) });
    expect(decodeReply(received(textIn(encoded)))).toMatchObject({ reply: { type: "failure", failure }, ending: true });
  });

  it("the result of an old server comes before the ending", () => {
    const result = { result: 5, failure: null, _msg_id: "1" };
    expect(decodeReply(enveloped(result))).toEqual({
      messageId: "1",
      reply: { type: "response", value: 5 },
      ending: false,
    });
    expect(decodeReply(enveloped({ _msg_id: "1", ending: true }))).toEqual({ messageId: "1", ending: true });
  });

  it("a heartbeat has no reply", () => {
    expect(decodeReply(received(textIn(encodeHeartbeat(IDS))))).toEqual({ messageId: IDS.messageId, ending: false });
  });

  it.each([
    [{ ending: true }, 'The body of a reply has no "_msg_id"'],
    [{ ending: true, _msg_id: 5 }, 'The body of a reply has no "_msg_id"'],
    [{ ending: true, _msg_id: "1", failure: "no" }, "The failure in a reply is not JSON"],
    [{ ending: true, _msg_id: "1", failure: {} }, "The failure in a reply is not JSON text but object"],
  ])("the reply %j is refused", (inner, message) => {
    expect(() => decodeReply(enveloped(inner))).toThrow(message);
  });
});

/** The body as sent. The recording has the JSON text of a message and of a failure as `{ json }`. */
function textOf(members: Members): string {
  return JSON.stringify(asSent(members));
}

function asSent(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, asSent(member)] as const);
  const [first] = entries;
  return entries.length === 1 && first?.[0] === "json" ? JSON.stringify(first[1]) : Object.fromEntries(entries);
}

function innerOf(text: string): Members {
  const members = JSON.parse(text) as Members;
  const message = members["oslo.message"];
  return typeof message === "string" ? (JSON.parse(message) as Members) : members;
}

function received(text: string) {
  return { body: new TextEncoder().encode(text), contentType: JSON_TYPE };
}

function enveloped(inner: Members) {
  return received(JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(inner) }));
}

function textIn(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function innerText(bytes: Uint8Array): string {
  return String((JSON.parse(textIn(bytes)) as Members)["oslo.message"]);
}
