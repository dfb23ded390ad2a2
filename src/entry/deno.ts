import { denoDial } from "../transports/streams/deno-stream.js";
import { denoWebSocketDial } from "../transports/websocket/deno.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  dialers: { amqp: denoDial, amqps: denoDial, "amqp+ws": denoWebSocketDial, "amqp+wss": denoWebSocketDial },
  identity: { node: hostname(), process: "deno", pid: Deno.pid },
  defaults: {},
  readFile: (path) => Deno.readTextFileSync(path),
});

/** Only where it is permitted: asking for it without permission would ask the user. */
function hostname(): string {
  return Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted" ? Deno.hostname() : "deno";
}
