import { expect, test } from "vitest";
import * as node from "@/src/entry/node.js";
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

test("the web's entry reports a missing WebSocket as the reason of the failed attempt", async () => {
  const transport = web.getRpcTransport("amqp+ws://localhost/", { logger: null });
  await expect(transport.connect()).rejects.toThrow(
    globalThis.WebSocket === undefined ? "this runtime has no WebSocket" : "cannot open WebSocket",
  );
  await transport.close();
});
