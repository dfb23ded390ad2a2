import { encodeMessage } from "../core/messages/message.js";
import { Writer } from "../core/types/writer.js";
import { LinkCounts } from "./clients.js";
import { Consumer } from "./consumer.js";
import type { ConsumerLink } from "./links.js";
import { type TopologySources, topologyOf } from "./topology-snapshot.js";

/** Shortest time between two snapshots. */
const PERIOD_MS = 250;

/** The node behind the topology's address. It takes snapshots only while it has a watcher. */
export class TopologyPublisher {
  /** The clients that watch. */
  readonly receivers = new LinkCounts();
  readonly #sources: TopologySources;
  /** The payload that each watcher was sent last. */
  readonly #watchers = new Map<Consumer, Uint8Array | undefined>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  /** The newest snapshot. */
  #json = "";
  /** The encoded message of `#json`. */
  #payload: Uint8Array = new Uint8Array(0);

  constructor(sources: TopologySources) {
    this.#sources = sources;
  }

  addConsumer(link: ConsumerLink): void {
    const watcher = new Consumer(
      link,
      { passed: 0 },
      {
        onCredit: () => this.#onCredit(watcher),
        onDetach: () => this.#onDetach(watcher),
      },
    );
    this.#watchers.set(watcher, undefined);
    this.#timer ??= setInterval(() => {
      this.#refresh();
      for (const each of this.#watchers.keys()) this.#sendTo(each);
    }, PERIOD_MS);
  }

  /**
   * A new watcher gets only a snapshot taken after it attached. If one was just taken, the watcher waits for the next
   * period, so that many short-lived watchers cause no extra snapshots.
   */
  #onCredit(watcher: Consumer): void {
    if (performance.now() - this.#refreshedAtMs >= PERIOD_MS) this.#refresh();
    else if (this.#watchers.get(watcher) === undefined) return;
    this.#sendTo(watcher);
  }

  #onDetach(watcher: Consumer): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #refresh(): void {
    this.#refreshedAtMs = performance.now();
    const json = JSON.stringify(topologyOf(this.#sources, this.receivers));
    if (json === this.#json) return;
    this.#json = json;
    this.#payload = messageOf(json);
  }

  /** Sends one snapshot at a time, whatever the credit: snapshots must not pile up for a watcher that does not read. */
  #sendTo(watcher: Consumer): void {
    if (watcher.room <= 0 || watcher.unsettled > 0 || this.#watchers.get(watcher) === this.#payload) return;
    this.#watchers.set(watcher, this.#payload);
    watcher.send(this.#payload, true, () => {});
  }
}

function messageOf(json: string): Uint8Array {
  const bytes = new TextEncoder().encode(json);
  const writer = new Writer(bytes.length + 64);
  encodeMessage(writer, { contentType: "application/json", body: { type: "data", bytes } });
  return writer.take();
}
