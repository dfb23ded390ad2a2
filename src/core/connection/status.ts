/** How a transport is doing. `host` is `name:port`, never with credentials. */
export type TransportStatus =
  /** Nobody has used it yet. */
  | { readonly type: "idle" }
  | {
      readonly type: "connecting";
      /** The host that is tried. */
      readonly host: string;
      /** From 1, counted since there was a connection. */
      readonly attempt: number;
    }
  | {
      readonly type: "connected";
      /** The host at the other end. */
      readonly host: string;
      /** What it calls itself, if it says so. */
      readonly product: string | undefined;
    }
  | {
      readonly type: "disconnected";
      /** The host that was connected, or could not be. */
      readonly host: string;
      /** Why; absent when the peer closed the connection in order. */
      readonly error: Error | undefined;
      /** The pause before the next attempt; absent when there is none. */
      readonly retryInMs: number | undefined;
    }
  | {
      /** Connected, and a link was refused by the peer, or detached; it is tried again. */
      readonly type: "refused";
      /** The address of the link. */
      readonly address: string;
      /** Why. */
      readonly error: Error;
    }
  /** For good. */
  | { readonly type: "closed" };

/** The present status, for whoever asks and whoever watches. Nothing comes after `closed`. */
export class StatusFeed {
  #present: TransportStatus = { type: "idle" };
  #changed = new Change();

  get present(): TransportStatus {
    return this.#present;
  }

  set(status: TransportStatus): void {
    if (this.#present.type === "closed") return;
    this.#present = status;
    const { happen } = this.#changed;
    this.#changed = new Change();
    happen();
  }

  /** First the present status, then every change; a slow reader gets the latest. Ends after `closed`. */
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

/** The next change, which any number of readers may wait for. */
class Change {
  happen: () => void = () => {};
  readonly promise = new Promise<void>((resolve) => {
    this.happen = resolve;
  });
}
