import type { StatusSink, TransportStatus } from "../../core/connection/status.js";

/**
 * Combines the statuses of the listening and the publishing connection into that of the transport: `connected` when each
 * connection that is wanted is connected, otherwise the status of the connection that is not. It is `closed` when both are.
 */
export class CombinedStatus {
  readonly listening: StatusSink;
  readonly publishing: StatusSink;
  readonly #transport: StatusSink;
  #listening: TransportStatus = { type: "idle" };
  #publishing: TransportStatus = { type: "idle" };
  #shown: TransportStatus | undefined;

  constructor(transport: StatusSink) {
    this.#transport = transport;
    this.listening = {
      set: (status) => {
        this.#listening = status;
        this.#show(status, this.#publishing);
      },
    };
    this.publishing = {
      set: (status) => {
        this.#publishing = status;
        this.#show(status, this.#listening);
      },
    };
  }

  /** Shows the more urgent status, or the changed one of two that are equally urgent. */
  #show(changed: TransportStatus, other: TransportStatus): void {
    const status = urgencyOf(other) > urgencyOf(changed) ? other : changed;
    if (status.type === "idle" || status === this.#shown) return; // idle: the other connection is closed, and this one never opened
    this.#shown = status;
    this.#transport.set(status);
  }
}

function urgencyOf(status: TransportStatus): number {
  switch (status.type) {
    case "disconnected":
      return status.retryInMs === undefined ? 2 : 6; // 2: nothing wants this connection any more
    case "connecting":
      return 5;
    case "refused":
      return 4;
    case "connected":
      return 3;
    case "idle":
      return 1;
    case "closed":
      return 0;
  }
}
