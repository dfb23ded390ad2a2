import type { Address } from "../../core/byte-stream.js";
import { isError } from "../../core/kinds.js";
import { dialErrorText } from "../tls-error-text.js";
import { webSocketDial } from "../websocket/dial.js";
import type { WebSocketLike } from "../websocket/socket.js";
import { tlsClientOptions } from "./tls-client.js";

/** Bun's constructor takes options where the web's takes sub-protocols. */
interface BunGlobal {
  WebSocket: new (url: string, options: object) => WebSocketLike;
}

/** Bun's value for "TLSv1.2". */
const TLS_1_2 = 0x0303;

/** Dials WebSockets in Bun, with the TLS options of the address. */
export const bunWebSocketDial = webSocketDial(
  (url, protocols, to) => {
    const { WebSocket } = globalThis as unknown as BunGlobal;
    const tls = { ...tlsClientOptions(to), minVersion: TLS_1_2 };
    return new WebSocket(url, { protocols, perMessageDeflate: false, tls });
  },
  { errorText },
);

/** Removes the URL, which our own message names, and uses Bun's code where its message gives no reason. */
function errorText(thrown: unknown, to: Address): string {
  if (!isError(thrown)) return dialErrorText(thrown, to);
  const code = "code" in thrown ? thrown.code : undefined;
  const why = thrown.message.replace(/^WebSocket connection to '.*' failed: /, "");
  const message = why === "Failed to connect" && code !== undefined ? "" : why;
  return dialErrorText(Object.assign(new Error(message), { code }), to);
}
