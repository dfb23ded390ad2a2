import type { Dial } from "../../core/byte-stream.js";
import { type WebSocketDialOptions, webSocketDial } from "./dial.js";

/**
 * A dialler on the global WebSocket of the runtime, as in browsers. The constructor is looked up at each dial, because
 * some runtimes that load this module have none.
 */
export function nativeWebSocket(options?: WebSocketDialOptions): Dial {
  const dial: Dial = async (to, on, signal) => {
    const { WebSocket } = globalThis;
    if (WebSocket === undefined) throw new Error("this runtime has no WebSocket");
    return await webSocketDial((url, protocols) => new WebSocket(url, protocols), options)(to, on, signal);
  };
  return Object.assign(dial, { supportedTlsOptions: [] });
}

export const nativeWebSocketDial: Dial = nativeWebSocket();
