import { isMessagingException, type Transport } from "oslo-messaging";
import { type Topology, watchTopology } from "oslo-messaging/intermediary";
import { rabbit } from "oslo-messaging/rabbit";
import { toError } from "../../../src/core/errors.js";
import { pause } from "../../../src/core/timers.js";
import { byId } from "../parts/elements.js";
import type { BusTransports, View } from "../view.js";
import { Picture } from "./picture.js";
import { pictureOf } from "./picture-model.js";
import { TopologyTable } from "./topology-table.js";

/** Pause after a lost connection. */
const PAUSE_MS = 1_000;
const RABBITMQ =
  "RabbitMQ publishes no topology. Its exchanges, queues and consumers are in its management page and in rabbitmqctl " +
  "list_exchanges, list_queues and list_consumers; those that this page declares are in the tab Frames.";

/**
 * Shows the clients and addresses that the embedded intermediary publishes: the one of RPC, or of notifications when RPC uses
 * RabbitMQ. Watches them only while the tab is visible.
 */
export class TopologyView implements View {
  readonly #pageName: string;
  readonly #summary = byId("topology-summary", HTMLElement);
  /** Shown in the place of a topology. */
  readonly #none = byId("no-topology", HTMLElement);
  readonly #parts = ["topology-head", "topology-picture", "topology-details"].map((id) => byId(id, HTMLElement));
  readonly #replies = byId("show-replies", HTMLInputElement);
  readonly #picture: Picture;
  readonly #table = new TopologyTable();
  #bus: BusTransports | undefined;
  #showing = false;
  #last: Topology | undefined;
  #watching = new AbortController();

  constructor(pageName: string) {
    this.#pageName = pageName;
    const isOurs = ({ name }: { name: string }): boolean => name.startsWith(pageName);
    this.#picture = new Picture(byId("topology-picture", HTMLElement), isOurs);
    this.#replies.addEventListener("change", () => this.#draw());
  }

  open(bus: BusTransports): void {
    this.#bus = bus;
    this.#restart();
  }

  async close(): Promise<void> {
    this.#bus = undefined;
    this.#restart();
    this.#showText("Connect to see clients and addresses.");
  }

  show(showing: boolean): void {
    if (showing === this.#showing) return;
    this.#showing = showing;
    this.#restart();
  }

  #restart(): void {
    this.#watching.abort();
    if (this.#bus === undefined || !this.#showing) return;
    const { rpc, notifications, dialers } = this.#bus;
    const watched = [rpc, notifications].find(({ url }) => !rabbit.schemes.has(url.scheme));
    if (watched === undefined) {
      this.#showText(RABBITMQ);
      return;
    }
    this.#watching = new AbortController();
    this.#showText("Waiting for a connection.");
    void this.#watch(watched, dialers, this.#watching.signal);
  }

  async #watch(transport: Transport, dialers: BusTransports["dialers"], signal: AbortSignal): Promise<void> {
    // Without a logger: this view shows the failures, and the RPC transport logs those of the same host.
    const options = { dialers, signal, logger: null, amqp: { containerName: `${this.#pageName} topology` } };
    while (!signal.aborted) {
      try {
        if ((await connected(transport)) === "RabbitMQ") {
          this.#showText(RABBITMQ);
          return;
        }
        for await (const topology of watchTopology(transport.url, options)) this.#show(topology);
      } catch (thrown) {
        if (signal.aborted) return;
        const { message } = toError(thrown);
        if (isMessagingException(thrown)) {
          this.#showText(`Only oslo-messaging's own intermediary publishes its topology. ${message}`);
          return;
        }
        this.#showText(`No topology until the connection is restored. ${message}`);
      }
      await pause(PAUSE_MS, signal).catch(() => {});
    }
  }

  #show(topology: Topology): void {
    this.#last = topology;
    const { product, connections, addresses } = topology;
    const summary = `${product}: ${connections.length} connections, ${addresses.length} addresses`;
    // Set only when it changes: screen readers would announce it four times a second.
    if (this.#summary.textContent !== summary) this.#summary.textContent = summary;
    this.#showParts(true);
    this.#draw();
  }

  #draw(): void {
    if (this.#last === undefined) return;
    this.#picture.show(pictureOf(this.#last, this.#replies.checked));
    this.#table.show(this.#last);
  }

  /** Shows a text instead of a topology. */
  #showText(text: string): void {
    this.#none.textContent = text;
    this.#summary.textContent = "";
    this.#showParts(false);
    this.#last = undefined;
    this.#picture.clear();
    this.#table.clear();
  }

  #showParts(hasTopology: boolean): void {
    for (const part of this.#parts) part.hidden = !hasTopology;
    this.#none.hidden = hasTopology;
  }
}

/** Resolves with the product of the peer when the transport is connected, or with undefined when it is closed. */
async function connected(transport: Transport): Promise<string | undefined> {
  for await (const status of transport.status()) if (status.type === "connected") return status.product;
  return undefined;
}
