import type { Dial } from "../../core/byte-stream.js";
import { type WebSocketDialOptions, webSocketDial } from "./dial.js";

/**
 * The runtime's own WebSocket, as in browsers. The constructor is looked up when it is needed: not everything that loads
 * this module has one.
 */
export function nativeWebSocket(options?: WebSocketDialOptions): Dial {
  const dial: Dial = async (to, on, signal) => {
    const { WebSocket } = globalThis;
    if (WebSocket === undefined) throw new Error("there is no WebSocket here");
    return await webSocketDial((url, protocols) => new WebSocket(url, protocols), options)(to, on, signal);
  };
  return Object.assign(dial, { supportedTlsOptions: [] });
}

export const nativeWebSocketDial: Dial = nativeWebSocket();
