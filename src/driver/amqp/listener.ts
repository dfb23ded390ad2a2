import { Deferred } from "../../core/deferred.js";
import { AmqpError, type AmqpErrorInit, toError } from "../../core/errors.js";
import type { Delivery } from "../../core/links/delivery.js";
import type { Receiver } from "../../core/links/receiver.js";
import { within } from "../../core/within.js";
import type { DriverListener, OnIncoming, Peer } from "../driver.js";
import type { Addresser, Route } from "./addressing.js";
import type { DriverConnection } from "./driver-connection.js";
import { type IncomingMessageInit, readIncoming } from "./incoming-message.js";

/** Longest wait for the peer to return its credit. Messages that arrive later are released. */
const DRAIN_MS = 2_000;

export interface ListenerInit extends IncomingMessageInit {
  /** Routes to listen on. Called for each connection. */
  routes: (addresser: Addresser) => readonly Route[];
  /** Called for each connection before the links are attached. */
  onAttach?: ((connection: DriverConnection) => void) | undefined;
  /** Credit of each link. */
  credit: number;
  onMessage: OnIncoming;
  onClose: () => void;
}

/** The receiving links of one server, on one connection after another. */
export class Listener implements DriverListener {
  readonly #init: ListenerInit;
  readonly #attached = new Deferred();
  readonly #closed = new Deferred();
  #peer: Peer | undefined;
  #links: readonly ListenerLink[] = [];
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: ListenerInit) {
    this.#init = init;
  }

  /** Resolves when the peer has attached every link for the first time. */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Error of a link that the peer refuses at present. */
  get refusal(): Error | undefined {
    return this.#links.find((link) => link.refusal !== undefined)?.refusal;
  }

  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** Attaches the links on a new connection. */
  attach(connection: DriverConnection): void {
    if (this.#stopping !== undefined) return;
    this.#peer = connection.peer;
    this.#init.onAttach?.(connection);
    const routes = this.#init.routes(connection.addresser);
    this.#links = routes.map((route) => new ListenerLink(connection, route, this.#init));
    void Promise.all(this.#links.map((link) => link.attached)).then(() => this.#attached.resolve());
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
    this.#closed.resolve();
    await Promise.all(this.#links.map((link) => link.close()));
  }
}

/** One receiving link. After a refusal or a loss it is attached again under the same name, after a pause, until it is closed. */
class ListenerLink {
  readonly #connection: DriverConnection;
  readonly #route: Route;
  readonly #init: ListenerInit;
  readonly #name: string;
  readonly #attached = new Deferred();
  #receiver: Receiver | undefined;
  #state: "listening" | "stopping" | "stopped" = "listening";

  constructor(connection: DriverConnection, route: Route, init: ListenerInit) {
    this.#connection = connection;
    this.#route = route;
    this.#init = init;
    this.#name = connection.linkName("receiver", route.address);
    void this.#keep();
  }

  /** Error of the link while the peer refuses it. */
  get refusal(): Error | undefined {
    return this.#connection.refusalOf(this.#route.address);
  }

  /** Resolves when the peer has attached the link for the first time. Never rejects. */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  async stop(): Promise<void> {
    this.#state = "stopping";
    if (this.#receiver !== undefined) await within(DRAIN_MS, this.#receiver.drain());
    this.#state = "stopped";
  }

  async close(): Promise<void> {
    this.#state = "stopped";
    this.#connection.restored(this.#route.address);
    await this.#receiver?.close();
  }

  async #keep(): Promise<void> {
    const { address } = this.#route;
    while (this.#state === "listening" && this.#connection.isOpen) {
      this.#connection.refused(address, await this.#attachedOnce());
      await this.#connection.pause();
    }
  }

  /** Attaches the link. Resolves at its end, with the cause. */
  async #attachedOnce(): Promise<Error> {
    const { address, capabilities, bySender } = this.#route;
    try {
      if (bySender !== undefined) await this.#createNode(bySender);
      return await new Promise<Error>((resolve, reject) => {
        const opening = this.#connection.openReceiver({
          name: this.#name,
          source: { address, capabilities },
          target: { address },
          credit: this.#init.credit,
          onDelivery: this.#onDelivery,
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

  /** Creates the node of the address, by a sender that is attached for a moment. */
  async #createNode(needed: string): Promise<void> {
    const { address, capabilities } = this.#route;
    try {
      const name = this.#connection.linkName("sender", address);
      const sender = await this.#connection.openSender({
        name,
        source: { address },
        target: { address, capabilities },
      });
      void sender.close();
    } catch (thrown) {
      if (!(thrown instanceof AmqpError)) throw thrown;
      const { condition, description } = thrown;
      throw new AmqpError({ condition, description: description ? `${description}; ${needed}` : needed });
    }
  }

  #onAttached(receiver: Receiver): void {
    if (!receiver.attached) return;
    if (this.#state !== "listening") {
      void receiver.close();
      return;
    }
    this.#receiver = receiver;
    this.#connection.restored(this.#route.address);
    this.#attached.resolve();
  }

  readonly #onDelivery = (delivery: Delivery): void => {
    if (this.#state === "stopped") return delivery.release();
    const message = readIncoming(this.#connection, this.#route.address, delivery, this.#init);
    if (message !== undefined) this.#init.onMessage(message);
  };
}

const DETACHED: AmqpErrorInit = { condition: "amqp:link:detach-forced", description: "the peer detached the link" };
