import { expect, test } from "vitest";
import * as node from "@/src/entry/node.js";
import { nodeRuntime } from "@/src/entry/node-runtime.js";
import { rabbit } from "@/src/entry/rabbit.js";
import * as web from "@/src/entry/web.js";

test("the entries of Node and of the web export the same names", () => {
  expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
});

test("Node's entry supports TCP and WebSocket", { tags: ["driver:load"] }, () => {
  for (const scheme of ["amqp", "amqps", "amqp+ws", "amqp+wss"]) {
    expect(node.getRpcTransport(`${scheme}://h/`).url.scheme).toBe(scheme);
    expect(node.getNotificationTransport(`${scheme}://h/`).url.scheme).toBe(scheme);
  }
});

test("the web's entry supports WebSocket only, and its errors name the supported schemes", () => {
  expect(web.getRpcTransport("amqp+wss://h/").url.scheme).toBe("amqp+wss");
  expect(() => web.getRpcTransport("amqp://h/")).toThrow("the supported schemes are amqp+ws, amqp+wss");
  expect(() => web.getNotificationTransport("amqps://h/")).toThrow(web.DriverLoadFailure);
});

test("the web's entry has rabbit+ws with the driver that is passed in, and its errors show how", {
  tags: ["driver:load"],
}, () => {
  const drivers = [rabbit];
  for (const scheme of ["rabbit+ws", "rabbit+wss"]) {
    expect(web.getRpcTransport(`${scheme}://h/`, { drivers }).url.scheme).toBe(scheme);
    expect(() => web.getRpcTransport(`${scheme}://h/`)).toThrow('import { rabbit } from "oslo-messaging/rabbit"');
  }
  expect(() => web.getRpcTransport("rabbit://h/", { drivers })).toThrow(
    "the supported schemes are amqp+ws, amqp+wss, rabbit+ws, rabbit+wss",
  );
});

test("the driver of oslo-messaging/rabbit is the one that is built in where it is built in", () => {
  expect(nodeRuntime(() => Promise.reject(new Error("no"))).drivers).toContain(rabbit);
  const drivers = [rabbit];
  for (const scheme of ["rabbit", "kombu", "rabbit+ws", "amqp"]) {
    expect(node.getRpcTransport(`${scheme}://h/`, { drivers }).url.scheme).toBe(scheme);
  }
});

test("the web's entry reports a missing WebSocket as the reason of the failed attempt", async () => {
  const transport = web.getRpcTransport("amqp+ws://localhost/", { logger: null });
  await expect(transport.connect()).rejects.toThrow(
    globalThis.WebSocket === undefined ? "this runtime has no WebSocket" : "cannot open WebSocket",
  );
  await transport.close();
});
