import type { ReceivedMethod } from "./method-codec.js";
import type { AnswerFields, RequestName } from "./methods.js";
import { COMMAND_INVALID } from "./reply-codes.js";
import { violation } from "./violation.js";

interface Pending {
  readonly answer: string;
  readonly resolve: (fields: object) => void;
  readonly reject: (error: Error) => void;
}

/** The requests of a channel that are not answered yet. The peer answers them in order. */
export class Requests {
  readonly #pending: Pending[] = [];

  /** The answer to the request that was just sent. Rejects when the channel ends first. */
  add<M extends RequestName>(name: M): Promise<AnswerFields<M>> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ answer: `${name}-ok`, resolve: (fields) => resolve(fields as AnswerFields<M>), reject });
    });
  }

  /** @throws Amqp091Error when the oldest request has another answer. */
  answer({ method, fields }: ReceivedMethod): void {
    const pending = this.#pending.shift();
    if (pending?.answer === method.name) return pending.resolve(fields);
    if (pending !== undefined) this.#pending.unshift(pending);
    const expected = pending === undefined ? "no answer" : pending.answer;
    throw violation(COMMAND_INVALID, `COMMAND_INVALID - ${method.name} where ${expected} was expected`);
  }

  fail(error: Error): void {
    for (const pending of this.#pending.splice(0)) pending.reject(error);
  }
}
