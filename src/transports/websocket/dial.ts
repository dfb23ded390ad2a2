import { offAbort, onAbort } from "../../core/abort.js";
import { authority } from "../../core/authority.js";
import type { Address, Dial, Socket } from "../../core/byte-stream.js";
import { isError } from "../../core/kinds.js";
import { usesTls } from "../scheme.js";
import { socketErrorText } from "../socket-error-text.js";
import { eventErrorText, SUBPROTOCOL, type WebSocketLike, WebSocketSocket } from "./socket.js";

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** Matches the messages of `ws` and Bun for a server that selects none of the sub-protocols. */
const NONE_SELECTED = /subprotocol|client protocol/;

/** Creates a WebSocket of the runtime, with the TLS options of the address where the runtime supports them. */
export type OpenWebSocket = (url: string, protocols: string[], to: Address) => WebSocketLike;

export interface WebSocketDialOptions {
  /** Timeout for opening. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  /** With more bytes than this unsent, `send` asks the caller to wait. Default 1 MiB. */
  budgetBytes?: number | undefined;
  /** Describes why the WebSocket did not open. */
  errorText?: ((thrown: unknown, to: Address) => string) | undefined;
}

/**
 * A dialler for WebSockets with the sub-protocol `amqp`, on the WebSocket of any runtime: `amqp+ws`, and `amqp+wss` for
 * TLS. It rejects with "cannot open WebSocket URL: cause" where the runtime reports a cause. Browsers report none.
 */
export function webSocketDial(openWebSocket: OpenWebSocket, options: WebSocketDialOptions = {}): Dial {
  const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, budgetBytes, errorText = socketErrorText } = options;
  return async (to, handlers, signal) => {
    signal.throwIfAborted();
    const encrypted = usesTls(to);
    const url = urlOf(to, encrypted);
    const toOpenError: ToOpenError = (cause) =>
      cannotOpen(url, isMixedContent(cause) ? MIXED_CONTENT : errorText(cause, to), cause);
    const ws = construct(() => openWebSocket(url, [SUBPROTOCOL], to), toOpenError);
    const opened = (): Socket =>
      new WebSocketSocket(ws, { id: url, encrypted, peer: "server", budgetBytes }, () => handlers);
    return await opening(ws, { url, timeoutMs: connectTimeoutMs, signal, opened, toOpenError });
  };
}

type ToOpenError = (cause: unknown) => Error;

function urlOf(to: Address, encrypted: boolean): string {
  const { path = "/" } = to;
  return `${encrypted ? "wss" : "ws"}://${authority(to)}${path.startsWith("/") ? path : `/${path}`}`;
}

function construct(open: () => WebSocketLike, toOpenError: ToOpenError): WebSocketLike {
  try {
    const ws = open();
    ws.binaryType = "arraybuffer";
    return ws;
  } catch (error) {
    // Mixed content, or an invalid certificate.
    throw toOpenError(error);
  }
}

interface Opening {
  url: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Makes the result within the open event: one tick later, the first message could already be lost. */
  opened: () => Socket;
  toOpenError: ToOpenError;
}

/** Resolves with the socket once the WebSocket is open. */
function opening(ws: WebSocketLike, { url, timeoutMs, signal, opened, toOpenError }: Opening): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    let settled = false;
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
      offAbort(signal, abort);
    };
    const giveUp = (reason: unknown): void => {
      settle();
      discard(ws);
      reject(reason);
    };
    const abort = (): void => giveUp(signal.reason);
    const timer = setTimeout(() => giveUp(cannotOpen(url, `timed out after ${timeoutMs} ms`)), timeoutMs);
    onAbort(signal, abort);
    ws.addEventListener("open", () => {
      if (settled) return;
      // Firefox, Deno and workerd accept a server that selects no sub-protocol.
      if (ws.protocol !== SUBPROTOCOL) {
        giveUp(notSelected(url));
      } else {
        settle();
        resolve(opened());
        // Without a pause, `ws` delivers bytes that came with the handshake before the caller's await continues.
        ws.pause?.();
        void Promise.resolve().then(() => ws.resume?.());
      }
    });
    ws.addEventListener("error", (event) => {
      cause = eventErrorText(event);
    });
    ws.addEventListener("close", ({ code }) => {
      settle();
      reject(closedError(url, code, cause, toOpenError));
    });
  });
}

/** Browsers throw a SecurityError only when an https page opens ws:// to another host. */
function isMixedContent(cause: unknown): boolean {
  return isError(cause) && cause.name === "SecurityError";
}

const MIXED_CONTENT = "an https page may open only wss://, use an amqp+wss URL";
/** Browsers hide the reason, because pages must not learn what is in the network around them. */
const HIDDEN_REASON =
  "the runtime reports no reason (a browser's console does): nothing listens there, its certificate is not trusted, " +
  `this page may not connect there, or the server has no WebSocket with the sub-protocol "${SUBPROTOCOL}"`;

function closedError(url: string, code: number, cause: unknown, toOpenError: ToOpenError): Error {
  if (cause === undefined) return cannotOpen(url, `closed with ${code}, and ${HIDDEN_REASON}`);
  // `ws` checks the sub-protocol before its open event.
  return NONE_SELECTED.test(socketErrorText(cause)) ? notSelected(url, cause) : toOpenError(cause);
}

function discard(ws: WebSocketLike): void {
  if (ws.terminate === undefined) ws.close();
  else ws.terminate();
}

function cannotOpen(url: string, why: string, cause?: unknown): Error {
  const hint = why.endsWith("+ws") ? "" : portHint(url);
  return new Error(`cannot open WebSocket ${url}: ${why}${hint}`, { cause });
}

/** The likely mistake in a URL with a port of AMQP over TCP. Few message buses accept WebSockets there. */
function portHint(url: string): string {
  const isTcpPort = /^\w+:\/\/[^/]*:567[12]\//.test(url);
  return isTcpPort ? "; this port is usually AMQP over TCP: use a relay or omit +ws" : "";
}

function notSelected(url: string, cause?: unknown): Error {
  return new Error(`the server at ${url} did not select the sub-protocol "${SUBPROTOCOL}"`, { cause });
}
