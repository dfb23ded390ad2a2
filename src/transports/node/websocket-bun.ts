import type { Address } from "../../core/byte-stream.js";
import { dialErrorText } from "../tls-error-text.js";
import { webSocketDial } from "../websocket/dial.js";
import type { WebSocketLike } from "../websocket/socket.js";
import { tlsClientOptions } from "./tls-client.js";

/** Where the web's takes sub-protocols only, Bun's takes options. */
interface BunGlobal {
  WebSocket: new (url: string, options: object) => WebSocketLike;
}

/** What Bun wants in the place of "TLSv1.2". */
const TLS_1_2 = 0x0303;

/** WebSockets of Bun, with the TLS options of the address. */
export const bunWebSocketDial = webSocketDial(
  (url, protocols, to) => {
    const { WebSocket } = globalThis as unknown as BunGlobal;
    const tls = { ...tlsClientOptions(to), minVersion: TLS_1_2 };
    return new WebSocket(url, { protocols, perMessageDeflate: false, tls });
  },
  { causeOf },
);

/** Bun names the URL, as our own message does, and says only by a code why it failed to connect. */
function causeOf(thrown: unknown, to: Address): string {
  if (!(thrown instanceof Error)) return dialErrorText(thrown, to);
  const code = "code" in thrown ? thrown.code : undefined;
  const why = thrown.message.replace(/^WebSocket connection to '.*' failed: /, "");
  const message = why === "Failed to connect" && code !== undefined ? "" : why;
  return dialErrorText(Object.assign(new Error(message), { code }), to);
}
