/** The error with which RabbitMQ refuses a request: an Amqp091Error, or one of the management of AMQP 1.0. */
export interface Refusal extends Error {
  /** Reply code of AMQP 0-9-1: 403, 404 or 406 for example. */
  readonly code: number;
  /** Text of the broker. */
  readonly text: string;
}

/** Recognised by its shape: each protocol has a class of its own. */
export function isRefusal(thrown: unknown): thrown is Refusal {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" && "text" in thrown;
}
