import { encodeMessage } from "../core/messages/message.js";
import { Writer } from "../core/types/writer.js";
import { LinkCounts } from "./clients.js";
import { Consumer } from "./consumer.js";
import type { ConsumerLink } from "./links.js";
import { type TopologySources, topologyOf } from "./topology-snapshot.js";

/** The shortest time from one look to the next. */
const PERIOD_MS = 250;

/** What stands behind the topology's address. It looks at the clients and addresses only while somebody watches. */
export class TopologyPublisher {
  /** Who watches. */
  readonly receivers = new LinkCounts();
  readonly #sources: TopologySources;
  /** Each with what it was sent last. */
  readonly #watchers = new Map<Consumer, Uint8Array | undefined>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #json = "";
  /** The message with that text. */
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
      this.#look();
      for (const each of this.#watchers.keys()) this.#tell(each);
    }, PERIOD_MS);
  }

  /** A newcomer is told what there is since it came, but never by a look before its time: many may come and go. */
  #onCredit(watcher: Consumer): void {
    if (performance.now() - this.#lookedAtMs >= PERIOD_MS) this.#look();
    else if (this.#watchers.get(watcher) === undefined) return;
    this.#tell(watcher);
  }

  #onDetach(watcher: Consumer): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#lookedAtMs = performance.now();
    const json = JSON.stringify(topologyOf(this.#sources, this.receivers));
    if (json === this.#json) return;
    this.#json = json;
    this.#payload = messageOf(json);
  }

  /** One at a time, whatever its credit: a watcher that does not read must not make snapshots pile up. */
  #tell(watcher: Consumer): void {
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
