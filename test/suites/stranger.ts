import { readFileSync } from "node:fs";
import type { Dial } from "@/src/core/byte-stream.js";
import type { Connection } from "@/src/core/connection/connection.js";
import { connect } from "@/src/core/connection/handshake.js";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Message } from "@/src/core/messages/message.js";
import type { Outcome } from "@/src/core/messages/outcome.js";
import { Addresser, type Service } from "@/src/driver/amqp/addressing.js";
import { hostsOf } from "@/src/driver/options/hosts.js";
import { parseOptions, resolveOptions } from "@/src/driver/options/options.js";
import { tlsOf } from "@/src/driver/options/tls.js";
import { Target, type TargetInit, TransportURL } from "@/src/entry/node.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { nodeWebSocketDial } from "@/src/transports/node/websocket-node.js";
import type { Bed } from "../support/bed.js";
import { Inbox } from "../support/inbox.js";

/** Somebody on the bus who does without the driver: sends whatever bytes, and answers as the test says or not at all. */
export class Stranger implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #addresser: Addresser;
  #links = 0;

  private constructor(connection: Connection, addresser: Addresser) {
    this.#connection = connection;
    this.#addresser = addresser;
  }

  static async enter(bed: Bed): Promise<Stranger> {
    const url = TransportURL.parse(bed.bus.url("amqp"));
    const options = resolveOptions({ query: url.query });
    const texts = parseOptions(url.query);
    const tls = tlsOf({ scheme: url.scheme, texts, code: undefined, readFile: readFileSync, honours: undefined });
    const [{ address, credentials }] = hostsOf(url, options, { path: options.wsPath, tls });
    const { virtualHost } = url;
    const hostname = options.pseudoVhost ? undefined : virtualHost;
    const init = { containerId: `stranger ${crypto.randomUUID()}`, hostname, sasl: { credentials } };
    const dial: Dial = url.scheme.startsWith("amqp+ws") ? nodeWebSocketDial() : tcpDial;
    const connection = await connect(dial, address, init, AbortSignal.timeout(10_000));
    const { product } = connection.remote;
    const addresser = new Addresser({ options, controlExchange: "openstack", virtualHost, product });
    return new Stranger(connection, addresser);
  }

  /** Sends to where RPC requests, or notifications, for this target go. */
  send(target: TargetInit, message: Message | Uint8Array, service: Service = "rpc"): Promise<Outcome> {
    const { address, capabilities } = this.#addresser.resolve(new Target(target), service);
    return this.#send(address, capabilities, message);
  }

  sendTo(address: string, message: Message | Uint8Array): Promise<Outcome> {
    return this.#send(address, [], message);
  }

  /** Takes the RPC requests, or notifications, for this target in a server's place. */
  async listen(target: TargetInit, service: Service = "rpc"): Promise<Inbox<Delivery>> {
    const { address, capabilities } = this.#addresser.resolve(new Target(target), service);
    const { inbox } = await this.#receive({ address, capabilities });
    return inbox;
  }

  /** A place to which replies can be sent. */
  async openMailbox(): Promise<{ address: string; inbox: Inbox<Delivery> }> {
    const { address, inbox } = await this.#receive({ dynamic: true });
    if (address === undefined) throw new Error("the intermediary made no address");
    return { address, inbox };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async #send(address: string, capabilities: readonly string[], message: Message | Uint8Array): Promise<Outcome> {
    const target = { address, capabilities };
    const sender = await this.#connection.openSender({ name: this.#linkName(), source: {}, target });
    const outcome = await sender.send(message, { settled: false });
    await sender.close();
    return outcome;
  }

  async #receive(source: { address?: string; dynamic?: boolean; capabilities?: readonly string[] }) {
    const inbox = new Inbox<Delivery>("the stranger");
    const onDelivery = (delivery: Delivery): void => inbox.put(delivery);
    const init = { name: this.#linkName(), source, target: {}, credit: 10, onDelivery };
    const receiver = await this.#connection.openReceiver(init);
    return { address: receiver.source?.address, inbox };
  }

  #linkName(): string {
    return `stranger's ${this.#links++}`;
  }
}
