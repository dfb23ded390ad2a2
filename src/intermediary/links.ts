import type { AmqpErrorInit } from "../core/errors.js";
import type { SettleMode } from "../core/links/link.js";
import type { DeliveryState, Outcome } from "../core/messages/outcome.js";

/** A message that a producer sent: core's Delivery, as far as routing is concerned. */
export interface RoutedMessage {
  /** The encoded message. Nothing here decodes it. */
  readonly payload: Uint8Array;
  /** The producer wants no answer. */
  readonly settled: boolean;
  /** Answers the producer. To be called for every message, of a settled one too; only the first answer counts. */
  settle(state: DeliveryState): void;
}

/** The link from a producer: core's Receiver. */
export interface ProducerLink {
  readonly credit: number;
  grant(credit: number): void;
  /** Withdraws the credit; resolves when the producer has used or given back all of it. */
  drain(): Promise<void>;
  close(error?: AmqpErrorInit): Promise<void>;
}

export interface ProducerLinkHandlers {
  onMessage(message: RoutedMessage): void;
  onDetach(): void;
}

/** Attaches the link from a producer. `credit` is kept up by the link itself; 0: only what is granted. */
export type OpenProducerLink = (handlers: ProducerLinkHandlers, credit: number) => ProducerLink;

/** The link to a consumer: core's Sender. */
export interface ConsumerSender {
  readonly credit: number;
  readonly queued: number;
  /** A lost link is an outcome: `unsent` or `unknown`. */
  send(payload: Uint8Array, options: { settled: boolean }): Promise<Outcome>;
  close(error?: AmqpErrorInit): Promise<void>;
}

export interface ConsumerSenderHandlers {
  /** The consumer changed its credit. `draining`: what is not used before this returns goes back to it. */
  onCredit(draining: boolean): void;
  onDetach(): void;
}

export interface ConsumerLink {
  /** Attaches the link to a consumer. Calls no handler before it returns. */
  open(handlers: ConsumerSenderHandlers): ConsumerSender;
  /** How the consumer wants to be sent to. */
  readonly settleMode: SettleMode;
}
