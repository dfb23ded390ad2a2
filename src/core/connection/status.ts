import { Deferred } from "../deferred.js";

/** State of a transport's connection. `host` is `name:port`, without credentials. */
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
      /** Connected, but the peer has refused or detached a link. The link is retried. */
      readonly type: "refused";
      /** Address of the link. */
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
