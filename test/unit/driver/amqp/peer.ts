import { onTestFinished } from "vitest";
import type { Accept } from "@/src/core/byte-stream.js";
import type { Connection, LinkRequest } from "@/src/core/connection/connection.js";
import { accept, connect } from "@/src/core/connection/handshake.js";
import { StatusBoard } from "@/src/core/connection/status.js";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Receiver } from "@/src/core/links/receiver.js";
import type { Sender } from "@/src/core/links/sender.js";
import type { Message } from "@/src/core/messages/message.js";
import type { Outcome } from "@/src/core/messages/outcome.js";
import { Admission } from "@/src/core/sasl/server/authenticator.js";
import { AmqpDriver, type AmqpDriverInit } from "@/src/driver/amqp/driver.js";
import { encodeReply } from "@/src/driver/amqp/wire.js";
import type { CallRequest, CastRequest, IncomingMessage, NotifyRequest } from "@/src/driver/driver.js";
import { type Host, hostsOf } from "@/src/driver/options/hosts.js";
import { type ResolvedOptions, resolveOptions } from "@/src/driver/options/options.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { Target } from "@/src/driver/target.js";
import { MessageIds } from "@/src/driver/values/message-ids.js";
import { memoryDial } from "@/src/transports/memory.js";
import { Inbox } from "@/test/support/inbox.js";
import { RecordingLogger } from "@/test/support/recording-logger.js";

/** A link that the driver has attached, from the peer's side: it sends by `receiver` and receives by `sender`. */
export interface PeerLink {
  readonly name: string;
  readonly address: string;
  readonly capabilities: readonly string[];
  readonly connection: Connection;
  readonly sender: Sender | undefined;
  readonly receiver: Receiver | undefined;
}

export const REPLIES = "replies";

/** A message bus that does what the test says. Unless told otherwise it attaches everything, gives credit and accepts nothing by itself. */
export class Peer {
  readonly connections = new Inbox<Connection>("the driver's connections");
  readonly links = new Inbox<PeerLink>("the driver's links");
  readonly deliveries = new Inbox<Delivery & { address: string }>("the driver's messages");
  readonly detached = new Inbox<string>("the driver's detaches");
  product: string | undefined = "test-router";
  /** Credit for each link that the driver sends by. */
  credit = 10;
  /** May refuse a link: by its address and how often that was asked for. */
  refuse: (address: string, time: number) => string | undefined = () => undefined;
  /** No connection is made while it is. */
  down: Error | undefined;
  readonly #open = new Set<Connection>();
  readonly #asked = new Map<string, number>();

  readonly accept: Accept = (socket) => {
    return accept(socket, {
      containerId: "peer",
      ...(this.product !== undefined && { properties: { product: this.product } }),
      sasl: new Admission(),
      onOpen: (connection) => {
        this.#open.add(connection);
        this.connections.put(connection);
      },
      onLink: (request) => this.#onLink(request),
      onFailure: () => {},
    });
  };

  /** The next message that came for an address. */
  async message(address = ANYCAST): Promise<Delivery> {
    return await this.deliveries.take(`a message for ${address}`, (delivery) =>
      delivery.address === address ? delivery : undefined,
    );
  }

  /** The next link to or from an address. */
  async link(address: string, role: "sender" | "receiver"): Promise<PeerLink> {
    return await this.links.take(`a link ${address}`, (link) =>
      link.address === address && link[role] !== undefined ? link : undefined,
    );
  }

  /** Sends to the driver over a link. */
  async send(link: PeerLink, message: Message, settled = false): Promise<Outcome> {
    if (link.sender === undefined) throw new Error(`the driver does not receive by ${link.name}`);
    return await link.sender.send(message, { settled });
  }

  /** Takes the next request and answers it. */
  async answer(value: unknown, replies: PeerLink): Promise<Outcome> {
    const request = await this.message();
    request.accept();
    return await this.send(replies, { correlationId: request.message.messageId, body: encodeReply(value) });
  }

  /** All connections are cut. */
  async kill(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => connection.close({ condition: "amqp:connection:forced" })));
    this.#open.clear();
  }

  #onLink(request: LinkRequest): void {
    const { role, name, connection } = request;
    const terminus = role === "receiver" ? request.target : request.source;
    const address = terminus?.dynamic ? REPLIES : (terminus?.address ?? "");
    const time = (this.#asked.get(address) ?? 0) + 1;
    this.#asked.set(address, time);
    const refusal = this.refuse(address, time);
    if (refusal !== undefined) return request.refuse({ condition: "amqp:not-found", description: refusal });
    const onDetach = () => this.detached.put(name);
    const termini = { source: { address }, target: { address: request.target?.address }, onDetach };
    const receiver =
      role === "receiver"
        ? request.acceptReceiver({
            ...termini,
            credit: this.credit,
            onDelivery: (delivery) => this.deliveries.put(Object.assign(delivery, { address })),
          })
        : undefined;
    const sender = role === "sender" ? request.acceptSender(termini) : undefined;
    const capabilities = terminus?.capabilities ?? [];
    this.links.put({ name, address, capabilities, connection, sender, receiver });
  }
}

export interface DriverBed {
  driver: AmqpDriver;
  peer: Peer;
  status: StatusBoard;
  logger: RecordingLogger;
}

/** A driver and its message bus, with short pauses. */
export function driverBed(
  options: Partial<ResolvedOptions> = {},
  init: Partial<AmqpDriverInit> & { peers?: readonly Peer[] } = {},
): DriverBed {
  const { peers = [new Peer()], ...overrides } = init;
  const [peer = new Peer()] = peers;
  const url = new TransportURL({ scheme: "amqp", hosts: peers.map((_, index) => ({ hostname: `peer${index}` })) });
  const status = new StatusBoard();
  const logger = new RecordingLogger();
  const resolved: ResolvedOptions = {
    ...resolveOptions({}),
    linkRetryDelayMs: 20,
    connectionRetryIntervalMs: 20,
    connectionRetryIntervalMaxMs: 20,
    defaultSendTimeoutMs: 200,
    defaultNotifyTimeoutMs: 200,
    defaultReplyTimeoutMs: 200,
    ...options,
  };
  const hosts = hostsOf(url, resolved, undefined);
  const driver = new AmqpDriver({
    hosts,
    connect: async (host: Host, signal) => {
      const at = peers[hosts.indexOf(host)] ?? peer;
      if (at.down !== undefined) throw at.down;
      const sasl = { credentials: undefined };
      return await connect(memoryDial(at.accept), host.address, { containerId: "driver", sasl, logger }, signal);
    },
    options: resolved,
    controlExchange: "openstack",
    virtualHost: undefined,
    remoteExceptions: undefined,
    ids: new MessageIds(),
    status,
    logger,
    random: () => 0,
    ...overrides,
  });
  onTestFinished(async () => {
    await driver.close(0);
    await Promise.all(peers.map((each) => each.kill()));
  });
  return { driver, peer, status, logger };
}

export const TARGET = new Target({ topic: "topic" });
export const ANYCAST = "openstack.org/om/rpc/anycast/openstack/topic";
export const NOTIFICATIONS = "openstack.org/om/notify/anycast/openstack/topic";

export function callRequest(request: Partial<CallRequest> = {}): CallRequest {
  return { ...castRequest(), timeoutMs: 30_000, ...request };
}

export function castRequest(request: Partial<CastRequest> = {}): CastRequest {
  return { target: TARGET, context: { user: "u" }, body: { method: "m", args: {} }, ...request };
}

export function notifyRequest(request: Partial<NotifyRequest> = {}): NotifyRequest {
  return { target: TARGET, context: {}, body: { event_type: "e" }, envelope: true, ...request };
}

/** What a server gets. */
export function inbox(): Inbox<IncomingMessage> {
  return new Inbox<IncomingMessage>("what the server got");
}

/** The next message that came in. */
export function next(from: Inbox<IncomingMessage>): Promise<IncomingMessage> {
  return from.take("a message", (message) => message);
}

/** What something failed with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
