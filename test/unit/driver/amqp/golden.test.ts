import { describe, expect, it } from "vitest";
import { decodeMessage, type Message } from "@/src/core/messages/message.js";
import { Addresser } from "@/src/driver/amqp/addressing.js";
import {
  decodeReply,
  decodeRequest,
  encodeFailure,
  encodeNotification,
  encodeReply,
  encodeRequest,
} from "@/src/driver/amqp/wire.js";
import type { RequestBody } from "@/src/driver/driver.js";
import { resolveOptions } from "@/src/driver/options/options.js";
import { Target } from "@/src/driver/target.js";
import golden from "@/test/data/golden-messages.json";

// Messages that the Python driver sent: our driver writes the same members in the same order.

const messages = golden.map(({ scenario, sentBy, message }, index) => {
  return { name: `${scenario}, sent by the ${sentBy} (${index})`, scenario, sentBy, message: read(message) };
});
const fromClient = messages.filter(({ sentBy }) => sentBy === "client");
const notifications = fromClient.filter(({ scenario }) => scenario.includes("notify"));
const requests = fromClient.filter(({ scenario }) => !scenario.includes("notify"));
const replies = messages.filter(({ sentBy, message }) => sentBy === "server" && message.body !== undefined);
const heartbeats = messages.filter(({ message }) => message.body === undefined);

it("the golden messages contain every kind of message", () => {
  const kinds = [requests, notifications, replies, heartbeats];
  expect(kinds.map((kind) => kind.length)).toEqual([35, 8, 22, 3]);
  expect(kinds.flat().length).toBe(golden.length);
});

describe.each(requests)("the request of $name", ({ scenario, message }) => {
  const { body, context, callMonitorTimeoutMs } = decodeRequest(message);

  it("our encoding equals Python's", () => {
    const encoded = encodeRequest({ body: body as RequestBody, context, callMonitorTimeoutMs });
    expect(encoded).toEqual({ type: "value", value: respelled(message) });
  });

  it("our request is sent to the address of Python's", () => {
    const target = new Target({
      topic: "test-topic",
      server: scenario.includes("direct") ? "server-1" : undefined,
      fanout: scenario.includes("fanout"),
    });
    expect(addresser(scenario).resolve(target, "rpc").address).toBe(message.to);
  });
});

describe.each(notifications)("the notification of $name", ({ scenario, message }) => {
  const envelope = !scenario.includes("v1");

  it("our encoding equals Python's", () => {
    const { body, context } = decodeRequest(message);
    const encoded = encodeNotification({ body: body as object, context, envelope });
    expect(encoded).toEqual({ type: "value", value: respelled(message) });
  });

  it("our notification is sent to the address of Python's, on which our listener listens", () => {
    const target = new Target({ topic: "notif.info" });
    expect(addresser(scenario).resolve(target, "notify").address).toBe(message.to);
    expect(addresser(scenario).listenerRoute(target).address).toBe(message.to);
  });
});

it.each(replies)("our reply of $name equals Python's", ({ message }) => {
  const reply = decodeReply(message);
  expect(reply.type).not.toBe("heartbeat");
  const encoded = reply.type === "failure" ? encodeFailure(reply.failure) : encodeReply(Reflect.get(reply, "value"));
  expect(encoded).toEqual({ type: "value", value: respelled(message) });
});

it.each(heartbeats)("the heartbeat of $name is decoded as a heartbeat", ({ message }) => {
  expect(decodeReply(message)).toEqual({ type: "heartbeat" });
});

it.each([
  ["fail", { excType: "ValueError", module: "builtins", message: "bad value é" }],
  ["fail-custom", { excType: "PeerError", module: "peers_exc", message: "custom trouble" }],
  ["fail-expected", { excType: "KeyError", module: "builtins", message: "'expected-key'", args: ["expected-key"] }],
  ["nomethod", { excType: "NoSuchMethod", module: "oslo_messaging.rpc.dispatcher" }],
])("the failures of %s are decoded", (scenario, failure) => {
  const found = replies.filter((reply) => reply.scenario.endsWith(`-${scenario}`));
  expect(found.length).toBe(2);
  for (const { message } of found) expect(decodeReply(message)).toMatchObject({ type: "failure", failure });
});

function read(hex: string): Message {
  return decodeMessage(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
}

/** The text in JavaScript's spelling, without blanks and needless escapes, also for the JSON within the JSON. */
function respelled({ body }: Message): string {
  const text = body?.type === "value" ? String(body.value) : "";
  return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
    return key === "oslo.message" || key === "failure" ? JSON.stringify(JSON.parse(String(value))) : value;
  });
}

function addresser(scenario: string): Addresser {
  return new Addresser({
    options: resolveOptions({ options: { pseudoVhost: !scenario.includes("nopseudo") } }),
    controlExchange: "openstack",
    virtualHost: scenario.includes("myvhost") ? "myvhost" : undefined,
    product: scenario.startsWith("routable") ? "qpid-dispatch-router" : "qpid-cpp",
  });
}
