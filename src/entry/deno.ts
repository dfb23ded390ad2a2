import { amqp } from "../driver/amqp/amqp.js";
import { rabbit } from "../driver/rabbit/rabbit.js";
import { denoDial } from "../transports/streams/deno-stream.js";
import { denoWebSocketDial } from "../transports/websocket/deno.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  drivers: [amqp, rabbit],
  dialers: { amqp: denoDial, amqps: denoDial, "amqp+ws": denoWebSocketDial, "amqp+wss": denoWebSocketDial },
  identity: { node: hostname(), process: "deno", pid: Deno.pid },
  defaults: {},
  readFile: (path) => Deno.readTextFileSync(path),
});

/** Read only with permission: without it, Deno would prompt the user. */
function hostname(): string {
  return Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted" ? Deno.hostname() : "deno";
}
