import type { AmqpErrorInit } from "../core/errors.js";
import type { SettleMode } from "../core/links/link.js";
import type { DeliveryState, Outcome } from "../core/messages/outcome.js";

/** A message from a producer: the part of core's Delivery that routing needs. */
export interface RoutedMessage {
  /** The encoded message. The intermediary does not decode it. */
  readonly payload: Uint8Array;
  /** The producer sent the message settled and expects no outcome. */
  readonly settled: boolean;
  /** Reports the outcome to the producer. Must be called for every message, settled or not; later calls are ignored. */
  settle(state: DeliveryState): void;
}

/** The link from a producer: core's Receiver. */
export interface ProducerLink {
  readonly credit: number;
  grant(credit: number): void;
  /** Withdraws the credit. Resolves when the producer has used or returned all of it. */
  drain(): Promise<void>;
  close(error?: AmqpErrorInit): Promise<void>;
}

export interface ProducerLinkHandlers {
  onMessage(message: RoutedMessage): void;
  onDetach(): void;
}

/** Attaches the link from a producer. The link keeps its credit at `credit`; with 0, only `grant` gives credit. */
export type OpenProducerLink = (handlers: ProducerLinkHandlers, credit: number) => ProducerLink;

/** The link to a consumer: core's Sender. */
export interface ConsumerSender {
  readonly credit: number;
  readonly queued: number;
  /** Resolves with the outcome; when the link is lost, it is `unsent` or `unknown`. */
  send(payload: Uint8Array, options: { settled: boolean }): Promise<Outcome>;
  close(error?: AmqpErrorInit): Promise<void>;
}

export interface ConsumerSenderHandlers {
  /** The consumer changed its credit. If `draining`, credit that is unused when the handler returns is given back. */
  onCredit(draining: boolean): void;
  onDetach(): void;
}

export interface ConsumerLink {
  /** Attaches the link to a consumer. No handler is called before it returns. */
  open(handlers: ConsumerSenderHandlers): ConsumerSender;
  /** The settle mode that the consumer asked for in its attach. */
  readonly settleMode: SettleMode;
}
