import { Deferred } from "../support/deferred.js";
import { Inbox } from "../support/inbox.js";

/** An endpoint whose method `hold` answers when the test says so. */
export class Held {
  readonly #begun = new Inbox<string>("the server");
  readonly #released = new Deferred();
  /** Every call of `hold`, in the order in which they began. */
  readonly calls: string[] = [];

  async hold(_context: object, { arg }: { arg: string }): Promise<string> {
    this.calls.push(arg);
    this.#begun.put(arg);
    await this.#released.promise;
    return arg;
  }

  echo(_context: object, { arg }: { arg: unknown }): unknown {
    return arg;
  }

  /** Resolves when the call of `hold` with this argument has begun. A function of its own, so that nobody can call it. */
  readonly begun = async (arg: string): Promise<void> => {
    await this.#begun.take(`call ${arg}`, (begun) => (begun === arg ? true : undefined));
  };

  /** From now on nothing is held. */
  readonly release = (): void => this.#released.resolve();
}
