import { AmqpError, type AmqpErrorInit, toError } from "../../core/errors.js";
import type { Delivery } from "../../core/links/delivery.js";
import type { Receiver } from "../../core/links/receiver.js";
import type { DriverListener, Peer } from "../driver.js";
import type { Addresser, Route } from "./addressing.js";
import type { DriverConnection } from "./driver-connection.js";

/** How long a peer may take to give credit back. What still comes after that is handed back to it. */
const DRAIN_MS = 2_000;

export interface ListenerInit {
  /** Where to listen: for each connection anew. */
  routes: (addresser: Addresser) => readonly Route[];
  /** A connection to listen on, before the links are attached. */
  onAttach?: ((bus: DriverConnection) => void) | undefined;
  /** On each link. */
  credit: number;
  onDelivery: (bus: DriverConnection, address: string, delivery: Delivery) => void;
  onClose: () => void;
}

/** What a server listens on, over one connection after the other. */
export class Listener implements DriverListener {
  /** Resolves when the peer has attached every link for the first time. */
  readonly attached: Promise<void>;
  readonly closed: Promise<void>;
  readonly #init: ListenerInit;
  #resolveAttached: () => void = () => {};
  #resolveClosed: () => void = () => {};
  #peer: Peer | undefined;
  #links: readonly ListenerLink[] = [];
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: ListenerInit) {
    this.#init = init;
    this.attached = new Promise((resolve) => {
      this.#resolveAttached = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** Attaches its links on a new connection. */
  attach(bus: DriverConnection): void {
    if (this.#stopping !== undefined) return;
    this.#peer = bus.peer;
    this.#init.onAttach?.(bus);
    this.#links = this.#init.routes(bus.addresser).map((route) => new ListenerLink(bus, route, this.#init));
    void Promise.all(this.#links.map((link) => link.attached)).then(this.#resolveAttached);
  }

  stop(): Promise<void> {
    this.#stopping ??= Promise.all(this.#links.map((link) => link.stop())).then(() => {});
    return this.#stopping;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopping ??= Promise.resolve();
    this.#init.onClose();
    this.#resolveClosed();
    await Promise.all(this.#links.map((link) => link.close()));
  }
}

/** One receiving link, attached until it is closed: after it was refused or lost, again under its name, not before a pause. */
class ListenerLink {
  /** Resolves when the peer has attached it for the first time; never when it does not. */
  readonly attached: Promise<void>;
  readonly #bus: DriverConnection;
  readonly #route: Route;
  readonly #init: ListenerInit;
  readonly #name: string;
  #resolveAttached: () => void = () => {};
  #receiver: Receiver | undefined;
  #state: "listening" | "stopping" | "stopped" = "listening";

  constructor(bus: DriverConnection, route: Route, init: ListenerInit) {
    this.#bus = bus;
    this.#route = route;
    this.#init = init;
    this.#name = bus.linkName("receiver", route.address);
    this.attached = new Promise((resolve) => {
      this.#resolveAttached = resolve;
    });
    void this.#keep();
  }

  async stop(): Promise<void> {
    this.#state = "stopping";
    const receiver = this.#receiver;
    if (receiver !== undefined) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, DRAIN_MS);
      });
      await Promise.race([receiver.drain(), patience]);
      clearTimeout(timer);
    }
    this.#state = "stopped";
  }

  async close(): Promise<void> {
    this.#state = "stopped";
    this.#bus.restored(this.#route.address);
    await this.#receiver?.close();
  }

  async #keep(): Promise<void> {
    const { address } = this.#route;
    while (this.#state === "listening" && this.#bus.isOpen) {
      this.#bus.refused(address, await this.#attachedOnce());
      await this.#bus.pause();
    }
  }

  /** From its attach to its end, which is what it resolves with. */
  async #attachedOnce(): Promise<Error> {
    const { address, capabilities } = this.#route;
    try {
      return await new Promise<Error>((resolve, reject) => {
        const opening = this.#bus.openReceiver({
          name: this.#name,
          source: { address, capabilities },
          target: { address },
          credit: this.#init.credit,
          onDelivery: (delivery) => this.#onDelivery(delivery),
          onDetach: (error) => resolve(error ?? new AmqpError(DETACHED)),
        });
        opening.then((receiver) => this.#onAttached(receiver), reject);
      });
    } catch (thrown) {
      return toError(thrown);
    } finally {
      this.#receiver = undefined;
    }
  }

  #onAttached(receiver: Receiver): void {
    if (!receiver.attached) return;
    if (this.#state !== "listening") {
      void receiver.close();
      return;
    }
    this.#receiver = receiver;
    this.#bus.restored(this.#route.address);
    this.#resolveAttached();
  }

  #onDelivery(delivery: Delivery): void {
    if (this.#state === "stopped") delivery.release();
    else this.#init.onDelivery(this.#bus, this.#route.address, delivery);
  }
}

const DETACHED: AmqpErrorInit = { condition: "amqp:link:detach-forced", description: "the peer detached it" };
