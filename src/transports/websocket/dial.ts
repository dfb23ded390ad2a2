import { authority } from "../../core/authority.js";
import type { Address, Dial, Socket } from "../../core/byte-stream.js";
import { usesTls } from "../scheme.js";
import { socketErrorText as plainCauseOf } from "../socket-error-text.js";
import { eventErrorText, SUBPROTOCOL, type WebSocketLike, WebSocketSocket } from "./socket.js";

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** As `ws` and Bun say that the server selects none of the sub-protocols. */
const NONE_SELECTED = /subprotocol|client protocol/;

/** Makes a WebSocket of the runtime, which owns TLS, or knows what to do with that of the address. */
export type OpenWebSocket = (url: string, protocols: string[], to: Address) => WebSocketLike;

export interface WebSocketDialOptions {
  /** 10,000 unless told. */
  connectTimeoutMs?: number | undefined;
  /** `send` asks to wait when more than this has not left: 1 MiB unless told. */
  budgetBytes?: number | undefined;
  /** Says in words why the WebSocket did not open. */
  causeOf?: ((thrown: unknown, to: Address) => string) | undefined;
}

/**
 * WebSocket with the sub-protocol `amqp`, for every runtime that has one: `amqp+ws`, and `amqp+wss` for TLS.
 * Rejects with "cannot open WebSocket URL: cause", as far as the runtime tells it: browsers do not.
 */
export function webSocketDial(openWebSocket: OpenWebSocket, options: WebSocketDialOptions = {}): Dial {
  const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, budgetBytes, causeOf = plainCauseOf } = options;
  return async (to, on, signal) => {
    signal.throwIfAborted();
    const encrypted = usesTls(to);
    const url = urlOf(to, encrypted);
    const whyNot: WhyNot = (cause) =>
      cannotOpen(url, isMixedContent(cause) ? MIXED_CONTENT : causeOf(cause, to), cause);
    const ws = construct(() => openWebSocket(url, [SUBPROTOCOL], to), whyNot);
    const opened = (): Socket => new WebSocketSocket(ws, { id: url, encrypted, peer: "server", budgetBytes }, () => on);
    return await opening(ws, { url, timeoutMs: connectTimeoutMs, signal, opened, whyNot });
  };
}

type WhyNot = (cause: unknown) => Error;

function urlOf(to: Address, encrypted: boolean): string {
  const { path = "/" } = to;
  return `${encrypted ? "wss" : "ws"}://${authority(to)}${path.startsWith("/") ? path : `/${path}`}`;
}

function construct(open: () => WebSocketLike, whyNot: WhyNot): WebSocketLike {
  try {
    const ws = open();
    ws.binaryType = "arraybuffer";
    return ws;
  } catch (error) {
    // Mixed content, or a certificate that is none.
    throw whyNot(error);
  }
}

interface Opening {
  url: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Its result is what the opening settles with: a tick after the event the first message could have passed. */
  opened: () => Socket;
  whyNot: WhyNot;
}

/** Settles once. */
function opening(ws: WebSocketLike, { url, timeoutMs, signal, opened, whyNot }: Opening): Promise<Socket> {
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
      cause = eventErrorText(event);
    });
    ws.addEventListener("close", ({ code }) => {
      settle();
      reject(whyClosed(url, code, cause, whyNot));
    });
  });
}

/** Browsers only throw it for a ws:// that a page from https would open to another host. */
function isMixedContent(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "SecurityError";
}

const MIXED_CONTENT = "a page from https may open only wss://, so the URL must be amqp+wss";
/** Pages must not learn what is in the network around them. */
const UNTOLD =
  "the runtime does not tell why (a browser's console does): nothing listens there, its certificate is not trusted, " +
  `this page may not connect there, or what answers is no WebSocket with the sub-protocol "${SUBPROTOCOL}"`;

function whyClosed(url: string, code: number, cause: unknown, whyNot: WhyNot): Error {
  if (cause === undefined) return cannotOpen(url, `closed with ${code}, and ${UNTOLD}`);
  // `ws` checks the sub-protocol before it opens.
  return NONE_SELECTED.test(plainCauseOf(cause)) ? notSelected(url, cause) : whyNot(cause);
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
