import WebSocket from "isomorphic-ws";
import type { Dial } from "../../core/byte-stream.js";
import { dialErrorText } from "../tls-error-text.js";
import { type WebSocketDialOptions, webSocketDial } from "../websocket/dial.js";
import { tlsClientOptions } from "./tls-client.js";

/** Largest message accepted from a peer, whose frames have 64 KiB at most. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Dials WebSockets in Node with the package `ws` and the TLS options of the address. */
export function nodeWebSocketDial(options: WebSocketDialOptions = {}): Dial {
  return webSocketDial(
    (url, protocols, to) =>
      new WebSocket(url, protocols, {
        // Compression costs more time than it saves.
        perMessageDeflate: false,
        maxPayload: MAX_MESSAGE_BYTES,
        ...tlsClientOptions(to),
      }),
    { errorText: dialErrorText, ...options },
  );
}
