import { isError } from "./kinds.js";

/** Condition and description of an AMQP 1.0 error (transport 2.8.14). */
export interface AmqpErrorInit {
  condition: string;
  description?: string | undefined;
}

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
    description: description === undefined ? undefined : shortened(description),
  };
}

function shortened(text: string): string {
  if (text.length * 3 <= DESCRIPTION_BYTES) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= DESCRIPTION_BYTES) return text;
  // Cut between two characters: the first byte removed is not a continuation byte.
  let end = DESCRIPTION_BYTES - 3;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`;
}

/** Error that the peer reported for a connection, a session, a link or a delivery. */
export class AmqpError extends Error {
  override readonly name: string = "AmqpError";
  readonly condition: string;
  readonly description: string | undefined;

  constructor({ condition, description }: AmqpErrorInit) {
    super(description === undefined || description === "" ? condition : `${condition}: ${description}`);
    this.condition = condition;
    this.description = description;
  }
}

/** The peer violated AMQP 1.0. `condition` is sent to the peer, and the connection is closed. */
export class ProtocolError extends AmqpError {
  override readonly name = "ProtocolError";

  constructor(description: string, condition = "amqp:decode-error") {
    super({ condition, description });
  }
}

/** The peer refused the credentials or offers no usable SASL mechanism. */
export class AuthenticationError extends AmqpError {
  override readonly name = "AuthenticationError";

  constructor(description: string) {
    super({ condition: "amqp:unauthorized-access", description });
  }
}

/** The connection was lost: closed by the peer or by this side, broken by the network, or idle for too long. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** Returns a thrown Error itself, and any other thrown value as the message of a new Error. */
export function toError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown));
}
