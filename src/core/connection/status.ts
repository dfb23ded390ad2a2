import { Deferred } from "../deferred.js";

/**
 * State of a transport's connection. `host` is `name:port`, without credentials. A transport of RabbitMQ has two connections,
 * for publishing and for listening, each opened when it is needed: it is `connected` when both of those that are needed are;
 * otherwise its status is that of the connection that is not.
 */
export type TransportStatus =
  /** The transport has not been used yet. */
  | { readonly type: "idle" }
  | {
      readonly type: "connecting";
      /** Host of this attempt. */
      readonly host: string;
      /**
       * Number of this attempt since the last connection, from 1. It starts again after each connection, however short, unlike
       * the pauses.
       */
      readonly attempt: number;
    }
  | {
      readonly type: "connected";
      /** Host of the connection. */
      readonly host: string;
      /** Product name that the peer reports, if any. */
      readonly product: string | undefined;
    }
  | {
      readonly type: "disconnected";
      /** Host of the lost connection or the failed attempt. */
      readonly host: string;
      /** Cause. Undefined if the peer closed the connection without an error. */
      readonly error: Error | undefined;
      /** Pause before the next attempt, in milliseconds. Undefined if no attempt follows: nothing waits for a connection. */
      readonly retryInMs: number | undefined;
    }
  | {
      /**
       * Connected, but the peer has refused or detached a link; at RabbitMQ a queue cannot be consumed, or an exchange cannot
       * be declared. It is tried again.
       */
      readonly type: "refused";
      /** Address of the link; at RabbitMQ the name of the queue, or `exchange/routing key`. */
      readonly address: string;
      /** Cause. */
      readonly error: Error;
    }
  /** The transport is closed. This state is final. */
  | { readonly type: "closed" };

/** Receives each change of a connection's status. */
export interface StatusSink {
  set(status: TransportStatus): void;
}

/** The present status and its changes. `closed` is final. */
export class StatusFeed implements StatusSink {
  #present: TransportStatus = { type: "idle" };
  #changed = new Deferred();

  get present(): TransportStatus {
    return this.#present;
  }

  set(status: TransportStatus): void {
    if (this.#present.type === "closed") return;
    this.#present = status;
    const changed = this.#changed;
    this.#changed = new Deferred();
    changed.resolve();
  }

  /** Yields the present status, then every change. A slow reader gets only the latest. Ends after `closed`. */
  async *watch(): AsyncGenerator<TransportStatus, void, undefined> {
    for (;;) {
      const { promise } = this.#changed;
      const status = this.#present;
      yield status;
      if (status.type === "closed") return;
      await promise;
    }
  }
}
