/** The broker could not route a mandatory message. */
export interface Returned {
  readonly type: "returned";
  /** Reply code: 312, no route. */
  readonly code: number;
  readonly text: string;
}

/**
 * The fate of a published message. An `unsent` message never left. An `unknown` one was sent, but its channel ended before
 * the broker confirmed it.
 */
export type Confirmation =
  | { readonly type: "acknowledged" }
  | { readonly type: "nacked" }
  | Returned
  | { readonly type: "unsent"; readonly error: Error }
  | { readonly type: "unknown"; readonly error: Error };

const ACKNOWLEDGED: Confirmation = Object.freeze({ type: "acknowledged" });
const NACKED: Confirmation = Object.freeze({ type: "nacked" });

/** A mandatory message, to be recognised when it is returned. */
export interface MandatoryMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
}

interface Unconfirmed {
  readonly resolve: (confirmation: Confirmation) => void;
  readonly message: MandatoryMessage | undefined;
  returned: Returned | undefined;
}

/** The unconfirmed messages of a channel in confirm mode, by delivery tag. */
export class Confirms {
  /** In the order of their tags. */
  readonly #unconfirmed = new Map<number, Unconfirmed>();
  #lastTag = 0;

  get size(): number {
    return this.#unconfirmed.size;
  }

  /** The fate of the message that was just published, by the next delivery tag. `message`: given if it is mandatory. */
  add(message: MandatoryMessage | undefined): Promise<Confirmation> {
    return new Promise((resolve) => {
      this.#unconfirmed.set(++this.#lastTag, { resolve, message, returned: undefined });
    });
  }

  /** Handles basic.ack and basic.nack. Tag 0 with `multiple` means all messages. Other unknown tags are ignored. */
  confirm(tag: number, multiple: boolean, isAck: boolean): void {
    if (!multiple) {
      this.#settle(tag, isAck);
      return;
    }
    for (const unconfirmed of this.#unconfirmed.keys()) {
      if (unconfirmed > tag && tag !== 0) return;
      this.#settle(unconfirmed, isAck);
    }
  }

  /**
   * Handles basic.return, which precedes the ack of the same message and has no tag: the message is the oldest one with
   * this exchange, routing key and body. `body` is undefined when it was too large to be kept; its size is compared then.
   * Returns false when there is no such message.
   */
  return(
    exchange: string,
    routingKey: string,
    body: Uint8Array | undefined,
    size: number,
    returned: Returned,
  ): boolean {
    for (const unconfirmed of this.#unconfirmed.values()) {
      const { message } = unconfirmed;
      if (message === undefined || unconfirmed.returned !== undefined) continue;
      if (message.routingKey !== routingKey || message.exchange !== exchange || message.body.length !== size) continue;
      if (body !== undefined && !hasBytes(body, message.body)) continue;
      unconfirmed.returned = returned;
      return true;
    }
    return false;
  }

  /** The channel has ended: the fate of all messages is unknown, except of those that were returned. */
  end(error: Error): void {
    const unconfirmed = [...this.#unconfirmed.values()];
    this.#unconfirmed.clear();
    for (const { resolve, returned } of unconfirmed) resolve(returned ?? { type: "unknown", error });
  }

  #settle(tag: number, isAck: boolean): void {
    const unconfirmed = this.#unconfirmed.get(tag);
    if (unconfirmed === undefined) return;
    this.#unconfirmed.delete(tag);
    unconfirmed.resolve(unconfirmed.returned ?? (isAck ? ACKNOWLEDGED : NACKED));
  }
}

function hasBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
