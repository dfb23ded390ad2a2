import { isError } from "./kinds.js";

/** An AMQP 1.0 error (transport 2.8.14). */
export interface AmqpErrorInit {
  /** Symbol that identifies the error: `amqp:not-found`. */
  condition: string;
  /** Explanation of the condition. */
  description?: string | undefined;
  /** Further details from the peer. Never sent. */
  info?: ErrorInfo | undefined;
}

/**
 * Details of an error, by key: `network-host`, `port` and `address` of a redirect. Untrusted input: the scalar values among
 * the first hundred, as text of up to 1,024 characters.
 */
export type ErrorInfo = Readonly<Record<string, string>>;

/** Maximum number of entries that are read of a map of the peer. */
const MAX_ENTRIES = 100;
/** Maximum length of their keys and values. */
const MAX_CHARS = 1_024;

/** The scalar values of a map of the peer, as text. */
export function textEntries(
  entries: Iterable<readonly [key: unknown, value: unknown]>,
): (readonly [key: string, value: string])[] {
  return [...entries]
    .slice(0, MAX_ENTRIES)
    .filter(([, value]) => typeof value !== "object" && value !== undefined)
    .map(([key, value]) => [shortText(key), shortText(value)]);
}

function shortText(value: unknown): string {
  return String(value).slice(0, MAX_CHARS);
}

/** The condition of a performative that does not fit into the frames that the peer accepts (transport 2.8.15). */
export const FRAME_TOO_LARGE = "amqp:frame-size-too-small";

/**
 * With these limits an error and its performative fit into the smallest maximum frame size that a peer may require
 * (MIN-MAX-FRAME-SIZE, transport 2.8.19).
 */
const CONDITION_CHARS = 100;
const DESCRIPTION_BYTES = 280;

/**
 * Shortens an error for sending and replaces characters that are invalid in a symbol: the error may come from one peer
 * and be forwarded to another that accepts only the smallest frames.
 */
export function forWire({ condition, description }: AmqpErrorInit): AmqpErrorInit {
  return {
    condition: condition.slice(0, CONDITION_CHARS).replace(/[^\x20-\x7e]/g, "?"),
    description: description === undefined ? undefined : shortened(description, DESCRIPTION_BYTES),
  };
}

/** The text if it has at most `max` bytes in UTF-8; otherwise its beginning and an ellipsis. */
export function shortened(text: string, max: number): string {
  if (text.length * 3 <= max) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= max) return text;
  // Cut between two characters: the first byte removed is not a continuation byte.
  let end = max - 3;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`;
}

/** Error that the peer reported for a connection, a session, a link or a delivery. */
export class AmqpError extends Error {
  /** Name of the class. It identifies errors where `instanceof` cannot. */
  override readonly name: string = "AmqpError";
  /** Symbol that identifies the error: `amqp:not-found`. */
  readonly condition: string;
  /** Explanation of the peer. */
  readonly description: string | undefined;
  /** Further details. Undefined when the peer sent none. */
  readonly info: ErrorInfo | undefined;

  constructor({ condition, description, info }: AmqpErrorInit) {
    super([condition, description, redirection(condition, info)].filter(Boolean).join(": "));
    this.condition = condition;
    this.description = description;
    this.info = info;
  }
}

/** Destination of a redirect (transport 2.8.16, 2.8.18). Undefined for any other error. */
function redirection(condition: string, info: ErrorInfo = {}): string | undefined {
  const { hostname, "network-host": host = hostname, port, address } = info;
  if (!condition.endsWith(":redirect")) return undefined;
  return Object.entries({ host, port, address })
    .flatMap(([name, value]) => (value === undefined ? [] : `${name} ${value}`))
    .join(", ");
}

/** The peer violated AMQP 1.0. `condition` is sent to the peer, and the connection is closed. */
export class ProtocolError extends AmqpError {
  /** Name of the class. */
  override readonly name = "ProtocolError";

  constructor(description: string, condition = "amqp:decode-error") {
    super({ condition, description });
  }
}

/** The peer refused the credentials or offers no usable SASL mechanism. Over rabbit:// its `cause` is the Amqp091Error. */
export class AuthenticationError extends AmqpError {
  /** Name of the class. */
  override readonly name = "AuthenticationError";

  constructor(description: string) {
    super({ condition: "amqp:unauthorized-access", description });
  }
}

/** The connection was lost: closed by the peer or by this side, broken by the network, or idle for too long. */
export class ConnectionLost extends Error {
  /** Name of the class. */
  override readonly name = "ConnectionLost";
}

/** Returns a thrown Error itself, and any other thrown value as the message of a new Error. */
export function toError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown));
}
