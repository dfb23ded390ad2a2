import { ACCESS_REFUSED } from "../../amqp091/reply-codes.js";
import { MessagingException } from "../exceptions.js";
import { isRefusal, type Refusal } from "./refusal.js";

/** The broker refused to declare an exchange, a queue or a binding, on a connection that stays open or that it closed. */
export class DeclarationRefused extends MessagingException {
  /** True when the broker refuses it until its configuration or that of this process changes. */
  readonly isFinal: boolean;
  declare readonly cause: Refusal;

  constructor(message: string, { cause, isFinal }: { cause: Refusal; isFinal: boolean }) {
    super(message, { cause });
    this.isFinal = isFinal;
  }
}

/**
 * The text of an error 403 that names the permission which the user lacks. RabbitMQ has 403 for other reasons too, such as a
 * name with the reserved prefix `amq.` and a queue in exclusive use.
 */
export function permissionText(permission: "configure" | "read" | "write", thing: string, error: Refusal): string {
  if (!error.text.includes("access to ")) return `${thing} is refused: ${error.message}`;
  return `the user has no permission "${permission}" on ${thing}: ${error.message}`;
}

/** The error for a queue that cannot be consumed. */
export function consumerRefusal(queue: string, error: Error): Error {
  if (!isRefusal(error) || error.code !== ACCESS_REFUSED) return error;
  return new DeclarationRefused(permissionText("read", `queue ${queue}`, error), { cause: error, isFinal: true });
}
