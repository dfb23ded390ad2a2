import type { Logger } from "../../../core/logger.js";
import type { Peer } from "../../driver.js";
import type { BatchLimits, Closing } from "./batches.js";

/**
 * Warns about batches behind a router. A router acknowledges a notification when its listener does, that is, when its batch has
 * been handled, so notifiers wait for that (the deployment guide of the AMQP 1.0 driver). Each warning is logged once per start.
 */
export class BatchNotice {
  readonly #limits: BatchLimits;
  readonly #logger: Logger;
  #warnedOfWaiting = false;

  constructor(limits: BatchLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  started(peer: Peer | undefined): void {
    if (peer?.kind !== "router") return;
    this.#logger.warn(
      `a batch listener is behind a router (${peer.product} at ${peer.host}): notifiers wait until their batch has been ` +
        `handled; a batch is closed ${this.#whenClosed()}`,
    );
  }

  closed(count: number, closing: Closing, peer: Peer | undefined): void {
    if (this.#warnedOfWaiting || closing !== "timeout" || peer?.kind !== "router") return;
    this.#warnedOfWaiting = true;
    const { size, timeoutMs } = this.#limits;
    const most = size === undefined ? "" : ` of at most ${size}`;
    this.#logger.warn(
      `a batch${most} was closed by its timeout with ${count}: notifiers behind the router at ${peer.host} waited up to ` +
        `${timeoutMs} ms`,
    );
  }

  #whenClosed(): string {
    const { size, timeoutMs } = this.#limits;
    const bySize = size === undefined ? [] : [`when ${size} have arrived`];
    const byTime = timeoutMs === undefined ? [] : [`${timeoutMs} ms after the first`];
    return [...bySize, ...byTime].join(" or ") + (timeoutMs === undefined ? ", however long that takes" : "");
  }
}
