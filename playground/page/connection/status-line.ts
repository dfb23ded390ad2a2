import type { Transport, TransportStatus } from "oslo-messaging";
import { toError } from "../../../src/core/errors.js";

/** A line with the status of one transport. */
export class StatusLine {
  readonly #line: Pick<HTMLElement, "dataset" | "textContent">;

  constructor(line: Pick<HTMLElement, "dataset" | "textContent">) {
    this.#line = line;
  }

  /** Shows every status of the transport, until it is closed. */
  async follow(transport: Pick<Transport, "status">): Promise<void> {
    let connections = 0;
    let connected = false;
    let trouble = "";
    for await (const status of transport.status()) {
      if (status.type === "connected" && !connected) connections += 1;
      // The connection stays open when a link is refused.
      if (status.type !== "refused") connected = status.type === "connected";
      const times = connections > 1 ? `; reconnects: ${connections - 1}` : "";
      if (status.type === "disconnected") trouble = status.error === undefined ? "" : `: ${status.error.message}`;
      // Keep the reason during retries: the page would jump at every attempt.
      const why = status.type === "connecting" || status.type === "disconnected" ? trouble : "";
      this.#show(status.type, `${describe(status)}${why}${times}`);
    }
  }

  /** Shows why there is no transport. */
  refuse(error: unknown): void {
    const { name, message } = toError(error);
    this.#show("refused", name === "Error" ? message : `${name}: ${message}`);
  }

  #show(state: string, text: string): void {
    this.#line.dataset["state"] = state;
    this.#line.textContent = text;
  }
}

function describe(status: TransportStatus): string {
  switch (status.type) {
    case "idle":
    case "closed":
      return "not connected";
    case "connecting":
      return `connecting to ${status.host}, attempt ${status.attempt}`;
    case "connected":
      return `connected to ${status.host}, ${status.product ?? "unknown product"}`;
    case "disconnected": {
      const then = status.retryInMs === undefined ? "" : `, retrying in ${(status.retryInMs / 1_000).toFixed(1)} s`;
      return `disconnected from ${status.host}${then}`;
    }
    case "refused":
      return `link to ${status.address} refused: ${status.error.message}`;
    default:
      return status satisfies never;
  }
}
