import type { Logger } from "../../../core/logger.js";
import type { Peer } from "../../driver.js";
import type { BatchLimits, Closing } from "./batches.js";

/**
 * What an operator should know of batches behind a router, which acknowledges a notification when its listener does: that
 * is, when its batch has been handled (the deployment guide of the AMQP 1.0 driver). Each is told once a start.
 */
export class BatchNotice {
  readonly #limits: BatchLimits;
  readonly #logger: Logger;
  #toldOfWaiting = false;

  constructor(limits: BatchLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  started(peer: Peer | undefined): void {
    if (peer?.kind !== "router") return;
    this.#logger.warn(
      `a batch listener behind a router, ${peer.product} at ${peer.host}: whoever sends a notification waits until its batch ` +
        `has been handled, which is closed ${this.#whenClosed()}`,
    );
  }

  closed(count: number, closing: Closing, peer: Peer | undefined): void {
    if (this.#toldOfWaiting || closing !== "timeout" || peer?.kind !== "router") return;
    this.#toldOfWaiting = true;
    const { size, timeoutMs } = this.#limits;
    const most = size === undefined ? "" : ` of at most ${size}`;
    this.#logger.warn(
      `a batch${most} was closed by its timeout with ${count}: through the router at ${peer.host} those who sent them have ` +
        `waited for up to ${timeoutMs} ms`,
    );
  }

  #whenClosed(): string {
    const { size, timeoutMs } = this.#limits;
    const bySize = size === undefined ? [] : [`when ${size} have come`];
    const byTime = timeoutMs === undefined ? [] : [`${timeoutMs} ms after its first one`];
    return [...bySize, ...byTime].join(" or ") + (timeoutMs === undefined ? ", however long that takes" : "");
  }
}
