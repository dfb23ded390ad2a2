/** An error as AMQP 1.0 carries it (transport 2.8.14). */
export interface AmqpErrorInit {
  condition: string;
  description?: string | undefined;
}

/** Together with what surrounds them they fit the smallest frame that a peer may insist on (MIN-MAX-FRAME-SIZE, transport 2.8.19). */
const CONDITION_CHARS = 100;
const DESCRIPTION_BYTES = 280;

/** An error as it is sent. It may be a stranger's, handed on to somebody who takes no larger frame and only proper symbols. */
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
  // Cut between two characters: the first byte that goes is no continuation byte.
  let end = DESCRIPTION_BYTES - 3;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`;
}

/** What the peer said was wrong: with a connection, a session, a link or a delivery. */
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

/** Bytes that do not follow AMQP 1.0. The peer is told `condition`, and the connection ends. */
export class ProtocolError extends AmqpError {
  override readonly name = "ProtocolError";

  constructor(description: string, condition = "amqp:decode-error") {
    super({ condition, description });
  }
}

/** The peer refused the credentials or offers no mechanism that fits. */
export class AuthenticationError extends AmqpError {
  override readonly name = "AuthenticationError";

  constructor(description: string) {
    super({ condition: "amqp:unauthorized-access", description });
  }
}

/** The connection is gone: by the peer, by the network, by silence, or because it was closed here. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** Anything thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
