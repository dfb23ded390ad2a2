import type { Connection } from "../../../core/connection/connection.js";
import { Deferred } from "../../../core/deferred.js";
import { ConnectionLost, toError } from "../../../core/errors.js";
import type { Delivery } from "../../../core/links/delivery.js";
import type { AttachFields, LinkInit } from "../../../core/links/link.js";
import type { Receiver } from "../../../core/links/receiver.js";
import type { Sender } from "../../../core/links/sender.js";
import { LinkRefusal } from "./link-refusal.js";
import {
  decodeManagementResponse,
  encodeManagementRequest,
  type ManagementRequest,
  type ManagementResponse,
} from "./management-message.js";

/** Address of the management. */
const NODE = "/management";
/** Most requests without a response: the credit that RabbitMQ grants. One more ends the session. */
const MAX_IN_FLIGHT = 8;
/** Responses that may come. RabbitMQ ends the session of a request whose response has no credit. */
const RESPONSES = 100;

const ENDED = "the broker has ended the links to its management";

/** Requests and responses are settled. */
const PAIRED: AttachFields = { properties: { paired: true }, snd_settle_mode: 1 };

interface PendingRequest {
  readonly id: string;
  readonly encoded: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Requests to the management of RabbitMQ 4, on a pair of links in a session of their own. A missing permission ends the
 * session. The pair is opened for the first request, and again after its end.
 */
export class Management {
  readonly #connection: Connection;
  readonly #onUse: (sender: Sender) => void;
  /** Waiting requests, the oldest first. */
  #waiting: PendingRequest[] = [];
  /** The requests without a response, the oldest first. */
  readonly #inFlight = new Map<string, PendingRequest>();
  #sender: Sender | undefined;
  #receiver: Receiver | undefined;
  readonly #session = {};
  /** Name of both links of the present pair: RabbitMQ pairs them by it. Undefined without one. */
  #pair: string | undefined;
  #pairs = 0;
  #roundTrips = 0;
  #lastId = 0;
  #opening: Promise<void> | undefined;
  /** Ends the opening of a pair whose first link is lost meanwhile: the broker may never answer for the second one. */
  #whenLost: (error: Error) => void = () => {};

  /** `onUse` is called after each request and each response. */
  constructor(connection: Connection, onUse: (sender: Sender) => void) {
    this.#connection = connection;
    this.#onUse = onUse;
    void connection.closed.then((cause) => this.#end(cause ?? new ConnectionLost("the connection was closed")));
  }

  /**
   * Resolves when the broker has done what is requested.
   *
   * @throws LinkRefusal when it refuses it.
   * @throws another error when the connection ends, or the links cannot be opened.
   */
  request(request: ManagementRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = `${++this.#lastId}`;
      this.#waiting.push({ id, encoded: encodeManagementRequest(id, request), resolve, reject });
      this.#advance();
    });
  }

  /** Measures the time of a link's attach on the open session, in milliseconds. */
  async roundTripMs(): Promise<number> {
    if (this.#sender === undefined) await this.#open();
    if (this.#sender !== undefined) this.#onUse(this.#sender);
    const startedMs = performance.now();
    const name = `round trip ${++this.#roundTrips}`;
    const link = await this.#connection.openSender({ name, source: {}, target: {}, session: this.#session });
    const roundTripMs = performance.now() - startedMs;
    void link.close();
    return roundTripMs;
  }

  #advance(): void {
    if (this.#sender === undefined) {
      this.#open().catch((thrown) => this.#fail(toError(thrown)));
      return;
    }
    while (this.#inFlight.size < MAX_IN_FLIGHT) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#inFlight.set(request.id, request);
      // A link that is lost meanwhile is handled by `#lost`.
      void this.#sender.send(request.encoded, { settled: true });
      this.#onUse(this.#sender);
    }
  }

  #open(): Promise<void> {
    this.#opening ??= this.#openPair().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openPair(): Promise<void> {
    const name = `management ${++this.#pairs}`;
    this.#pair = name;
    const lost = new Deferred<never>();
    lost.promise.catch(() => {});
    this.#whenLost = lost.reject;
    const link: Pick<LinkInit, "name" | "session" | "fields" | "onDetach"> = {
      name,
      session: this.#session,
      fields: PAIRED,
      onDetach: (error) => this.#lost(name, error),
    };
    // The receiver is first: its credit must arrive before the first request.
    this.#receiver = await this.#connection.openReceiver({
      ...link,
      source: { address: NODE },
      target: { address: "$me" },
      credit: RESPONSES,
      onDelivery: this.#onResponse,
    });
    const to = { source: { address: "$me" }, target: { address: NODE } };
    const opening = this.#connection.openSender({ ...link, ...to });
    try {
      const sender = await Promise.race([opening, lost.promise]);
      this.#sender = this.#pair === name ? sender : await lost.promise;
    } catch (thrown) {
      void opening.then(
        (sender) => sender.close(),
        () => {},
      );
      void this.#receiver?.close();
      throw thrown;
    }
    this.#advance();
  }

  readonly #onResponse = (delivery: Delivery): void => {
    delivery.accept(); // it is settled: this returns its credit
    let response: ManagementResponse;
    try {
      response = decodeManagementResponse(delivery.payload);
    } catch (thrown) {
      this.#lost(this.#pair, toError(thrown));
      return;
    }
    const { id, refusal } = response;
    const request = this.#inFlight.get(String(id));
    if (request === undefined) return;
    this.#inFlight.delete(request.id);
    if (this.#sender !== undefined) this.#onUse(this.#sender);
    if (refusal === undefined) request.resolve();
    else request.reject(refusal);
    this.#advance();
  };

  /**
   * Called at the end of each link of a pair. The broker handles requests in order: of those without a response, the error is
   * that of the first. The others are sent again.
   */
  #lost(pair: string | undefined, cause: Error | undefined): void {
    if (this.#pair !== pair || !this.#connection.isOpen) return;
    this.#pair = undefined;
    void detached(this.#sender, this.#receiver);
    this.#sender = undefined;
    this.#receiver = undefined;
    const [culprit, ...others] = this.#inFlight.values();
    this.#inFlight.clear();
    this.#waiting = [...others, ...this.#waiting];
    const error = cause ?? new LinkRefusal({ condition: "amqp:link:detach-forced", description: ENDED });
    this.#whenLost(error);
    culprit?.reject(LinkRefusal.of(error));
    if (this.#waiting.length > 0) this.#advance();
  }

  /** No pair can be opened. The next request tries again. */
  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(LinkRefusal.of(error));
  }

  #end(error: Error): void {
    this.#sender = undefined;
    this.#waiting.unshift(...this.#inFlight.values());
    this.#inFlight.clear();
    this.#fail(error);
  }
}

/** Detaches what is left of a pair. When its session has ended, both links have noticed it by the next turn. */
async function detached(...links: readonly (Sender | Receiver | undefined)[]): Promise<void> {
  await undefined;
  await Promise.all(links.map((link) => link?.close()));
}
