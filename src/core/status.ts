/** How a transport is doing. `host` is `name:port`, never with credentials. */
export type TransportStatus =
  | { readonly type: "idle" }
  | { readonly type: "connecting"; readonly host: string; readonly attempt: number }
  | { readonly type: "connected"; readonly host: string; readonly product: string | undefined }
  | {
      readonly type: "disconnected";
      readonly host: string;
      readonly error: Error | undefined;
      readonly retryInMs: number | undefined;
    }
  /** Connected, and a link was refused by the peer, or detached; it is tried again. */
  | { readonly type: "refused"; readonly address: string; readonly error: Error }
  | { readonly type: "closed" };

/** The present status, for whoever asks and whoever watches. Nothing comes after `closed`. */
export class StatusBoard {
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
