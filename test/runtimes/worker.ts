// What workerd runs: a request brings the setting, the answer is reports as lines of JSON.
import * as oslo from "oslo-messaging";
import { tcpDialers } from "oslo-messaging/tcp";
import { perform } from "./perform.js";
import type { Library, Setting } from "./scenario.js";

/** The root has WebSocket only. */
const withTcp: Library = {
  ...oslo,
  getRpcTransport: (url, options) => oslo.getRpcTransport(url, { dialers: tcpDialers, ...options }),
  getNotificationTransport: (url, options) => oslo.getNotificationTransport(url, { dialers: tcpDialers, ...options }),
};

export default {
  async fetch(request: Request): Promise<Response> {
    const setting = (await request.json()) as Setting;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const library = setting.scheme === "amqp+ws" ? oslo : withTcp;
    perform(library, setting, (report) => writer.write(encoder.encode(`${JSON.stringify(report)}\n`))).then(
      () => writer.close(),
      (error) => writer.abort(error),
    );
    return new Response(readable);
  },
};
