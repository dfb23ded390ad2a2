import { ACCESS_REFUSED, INTERNAL_ERROR, NOT_FOUND, PRECONDITION_FAILED } from "../../../amqp091/reply-codes.js";
import { AmqpError, type AmqpErrorInit, toError } from "../../../core/errors.js";
import type { Refusal } from "../refusal.js";

/** Reply codes of AMQP 0-9-1 by the conditions of RabbitMQ 4. */
const CODES: ReadonlyMap<string, number> = new Map([
  ["amqp:unauthorized-access", ACCESS_REFUSED],
  ["amqp:not-found", NOT_FOUND],
  ["amqp:precondition-failed", PRECONDITION_FAILED],
]);

/** The error with which RabbitMQ 4 refused a request, a link or a message, with the code that it has in AMQP 0-9-1. */
export class LinkRefusal extends AmqpError implements Refusal {
  readonly code: number;
  readonly text: string;

  constructor(error: AmqpErrorInit) {
    super(error);
    this.code = CODES.get(error.condition) ?? INTERNAL_ERROR;
    this.text = error.description ?? error.condition;
  }

  /** The error of a link or a session as a refusal. Any other one, such as the end of the connection, is returned as it is. */
  static of(thrown: unknown): Error {
    return thrown instanceof AmqpError ? new LinkRefusal(thrown) : toError(thrown);
  }
}
