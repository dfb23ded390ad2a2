import { authority } from "../core/authority.js";
import type { Address, Dial, Socket } from "../core/dial.js";
import { causeOf } from "./cause.js";
import { causeOfEvent, SUBPROTOCOL, type WebSocketLike, WebSocketSocket } from "./websocket-socket.js";

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** The WHATWG constructor: a browser's global, or a class over `ws` that fixes its options. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface WebSocketDialOptions {
  /** 10,000 unless told. */
  connectTimeoutMs?: number | undefined;
  /** `send` asks to wait when more than this has not left: 1 MiB unless told. */
  budgetBytes?: number | undefined;
}

/**
 * WebSocket with the sub-protocol `amqp`, for every runtime that has one: `amqp+ws`, and `amqp+wss` for TLS.
 * Rejects with "cannot open WebSocket URL: cause", as far as the runtime tells it: browsers do not.
 */
export function webSocketDial(
  WebSocketClass: WebSocketConstructor,
  { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, budgetBytes }: WebSocketDialOptions = {},
): Dial {
  return async (to, on, signal) => {
    signal.throwIfAborted();
    const encrypted = to.scheme === "amqp+wss" || to.tls !== undefined;
    const url = urlOf(to, encrypted);
    const ws = construct(WebSocketClass, url);
    const opened = (): Socket => new WebSocketSocket(ws, { id: url, encrypted, peer: "server", budgetBytes }, () => on);
    return await opening(ws, url, connectTimeoutMs, signal, opened);
  };
}

function urlOf(to: Address, encrypted: boolean): string {
  const { path = "/" } = to;
  return `${encrypted ? "wss" : "ws"}://${authority(to)}${path.startsWith("/") ? path : `/${path}`}`;
}

function construct(WebSocketClass: WebSocketConstructor, url: string): WebSocketLike {
  try {
    const ws = new WebSocketClass(url, [SUBPROTOCOL]);
    ws.binaryType = "arraybuffer";
    return ws;
  } catch (error) {
    // Mixed content: a page from https may not open ws:// to another host.
    throw cannotOpen(url, causeOf(error), error);
  }
}

/** Settles once, with what `opened` makes within the event: a tick later the first message could have passed. */
function opening(
  ws: WebSocketLike,
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
  opened: () => Socket,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    let settled = false;
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    const giveUp = (reason: unknown): void => {
      settle();
      discard(ws);
      reject(reason);
    };
    const abort = (): void => giveUp(signal.reason);
    const timer = setTimeout(() => giveUp(cannotOpen(url, `no answer within ${timeoutMs} ms`)), timeoutMs);
    signal.addEventListener("abort", abort);
    ws.addEventListener("open", () => {
      if (settled) return;
      // Firefox, Deno and workerd do not mind a server that selects none.
      if (ws.protocol !== SUBPROTOCOL) {
        giveUp(notSelected(url));
      } else {
        settle();
        resolve(opened());
        // `ws` would deliver what came with the handshake before whoever awaits this has its turn.
        ws.pause?.();
        queueMicrotask(() => ws.resume?.());
      }
    });
    ws.addEventListener("error", (event) => {
      cause = causeOfEvent(event);
    });
    ws.addEventListener("close", ({ code }) => {
      settle();
      reject(whyClosed(url, code, cause));
    });
  });
}

function whyClosed(url: string, code: number, cause: unknown): Error {
  if (cause === undefined) return cannotOpen(url, `closed with ${code}, and the runtime does not tell why`);
  const why = causeOf(cause);
  // `ws` checks the sub-protocol before it opens.
  return why.includes("subprotocol") ? notSelected(url, cause) : cannotOpen(url, why, cause);
}

function discard(ws: WebSocketLike): void {
  if (ws.terminate === undefined) ws.close();
  else ws.terminate();
}

function cannotOpen(url: string, why: string, cause?: unknown): Error {
  return new Error(`cannot open WebSocket ${url}: ${why}`, { cause });
}

function notSelected(url: string, cause?: unknown): Error {
  return new Error(`the server at ${url} did not select the sub-protocol "${SUBPROTOCOL}"`, { cause });
}
