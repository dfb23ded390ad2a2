import type { Dial } from "../core/dial.js";
import { webSocketDial } from "./websocket.js";

/**
 * The runtime's own WebSocket, as in browsers. The constructor is looked up when it is needed: not everything that loads
 * this module has one.
 */
export const ownWebSocketDial: Dial = Object.assign<Dial, Pick<Dial, "honours">>(
  async (to, on, signal) => {
    const { WebSocket } = globalThis;
    if (WebSocket === undefined) throw new Error("there is no WebSocket here");
    return await webSocketDial((url, protocols) => new WebSocket(url, protocols))(to, on, signal);
  },
  { honours: [] },
);
