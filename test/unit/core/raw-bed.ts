import rheaFrames from "rhea/lib/frames.js";
import { onTestFinished } from "vitest";
import type { Connection, ConnectionOptions } from "@/src/core/connection/connection.js";
import { connect } from "@/src/core/connection/handshake.js";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Receiver, ReceiverInit } from "@/src/core/links/receiver.js";
import type { Sender, SenderInit } from "@/src/core/links/sender.js";
import { encodeMessage, type Message } from "@/src/core/messages/message.js";
import { Writer } from "@/src/core/types/writer.js";
import { memoryDial } from "@/src/transports/memory.js";
import { type RawFrame, RawPeer } from "@/test/support/raw-peer.js";

export const TO = { scheme: "amqp+memory", hostname: "raw", port: 0 };

/** What a raw peer's begin has to say. */
export const BEGIN = { next_outgoing_id: 0, incoming_window: 1000, outgoing_window: 1000 };

export const ACCEPTED = { type: "accepted" } as const;

type Fields = Record<string, unknown>;

export interface Opened {
  peer: RawPeer;
  connection: Connection;
}

/** Ours and a raw peer, open to each other. */
export async function opened(open: Fields = {}, options: Partial<ConnectionOptions> = {}): Promise<Opened> {
  const peer = new RawPeer();
  const connecting = connectTo(peer, options);
  await peer.next("open");
  peer.send("open", { container_id: "raw", ...open });
  const connection = await connecting;
  onTestFinished(async () => {
    peer.hangUp();
    await connection.closed;
  });
  return { peer, connection };
}

export function connectTo(peer: RawPeer, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const all = { containerId: "ours", sasl: { credentials: undefined }, ...options };
  return connect(memoryDial(peer.accept), TO, all, new AbortController().signal);
}

/** All that a server says in the SASL exchange: its header, its mechanisms, and that all is well. */
export function saslServer(): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const frame = (performative: object) => rheaFrames.write_frame(rheaFrames.sasl_frame(performative));
  return [
    Buffer.from("AMQP\x03\x01\x00\x00", "latin1"),
    frame(rheaFrames.sasl_mechanisms({ sasl_server_mechanisms: ["ANONYMOUS"] })),
    frame(rheaFrames.sasl_outcome({ code: 0 })),
  ];
}

/** The raw peer begins the session that is asked for. */
export async function begun(peer: RawPeer, begin: Fields = {}): Promise<void> {
  const { channel } = await peer.next("begin");
  peer.send("begin", { remote_channel: channel, ...BEGIN, ...begin }, { channel });
}

export interface SenderBed extends Opened {
  sender: Sender;
}

export async function senderWith(
  credit: number,
  open: Fields = {},
  begin: { incoming_window?: number } = {},
  attach: Fields = {},
  { options, ...init }: Partial<SenderInit> & { options?: Partial<ConnectionOptions> } = {},
): Promise<SenderBed> {
  const { peer, connection } = await opened(open, options);
  const opening = connection.openSender({ name: "s", source: {}, target: { address: "q" }, ...init });
  await begun(peer, begin);
  await peer.attachAsReceiver(credit, attach, begin.incoming_window);
  return { peer, connection, sender: await opening };
}

export interface ReceiverBed extends Opened {
  receiver: Receiver;
  /** The flow with the first credit. */
  flow: RawFrame;
  deliveries: Delivery[];
  /** Resolves when so many have come. */
  delivered: (count: number) => Promise<Delivery[]>;
}

export async function receiverWith(
  credit: number,
  begin: Fields = {},
  attach: Fields = {},
  options: Partial<ConnectionOptions> = {},
  init: Partial<ReceiverInit> = {},
): Promise<ReceiverBed> {
  const { peer, connection } = await opened({}, options);
  const deliveries: Delivery[] = [];
  let wake = (): void => {};
  const opening = connection.openReceiver({
    name: "r",
    source: { address: "q" },
    target: {},
    credit,
    onDelivery: (delivery) => {
      deliveries.push(delivery);
      wake();
    },
    ...init,
  });
  await begun(peer, begin);
  const flow = await peer.attachAsSender(attach);
  const delivered = async (count: number): Promise<Delivery[]> => {
    while (deliveries.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return deliveries;
  };
  return { peer, connection, receiver: await opening, flow, deliveries, delivered };
}

export function text(value: string): Message {
  return { body: { type: "value", value } };
}

export function encoded(value: string): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, text(value));
  return writer.take();
}

/** The fields of a raw transfer. */
export function transfer(id: number, more: Fields = {}): Fields {
  return { handle: 0, delivery_id: id, delivery_tag: Buffer.from([id]), message_format: 0, ...more };
}

export function error(condition: string, description?: string): object {
  return { condition, description };
}

/** What an answer to an attach repeats. */
export function sameLink({ name, source, target }: Fields): Fields {
  return { name, source, target };
}
