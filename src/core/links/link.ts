import { AmqpError, type AmqpErrorInit, ProtocolError } from "../errors.js";
import type { Flow, Transfer } from "../frames/performatives.js";
import type { DeliveryState } from "../messages/outcome.js";
import type { RecurringWarnings } from "../recurring-warnings.js";
import type { SessionIncoming } from "./session-incoming.js";
import type { SessionOutgoing } from "./session-outgoing.js";

/** Longest wait for the peer's answer to our Detach. */
const DETACH_MS = 2_000;

/** One end of a link, as the peer stated it. */
export interface Terminus {
  readonly address: string | undefined;
  readonly dynamic: boolean;
  readonly capabilities: readonly string[];
}

/** One end of a link, as we request it. With `dynamic` the peer creates a node and states its address. */
export interface TerminusInit {
  address?: string | undefined;
  dynamic?: boolean | undefined;
  capabilities?: readonly string[] | undefined;
}

/** Fields of an attach (transport 2.7.3) that few links state. */
export interface AttachFields {
  readonly properties?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly snd_settle_mode?: 0 | 1 | 2;
  /** 0: none is stated, in the place of `maxMessageBytes`, which still holds. */
  readonly max_message_size?: 0;
}

export interface LinkInit {
  /** Unique within the connection, across both directions. */
  name: string;
  source: TerminusInit;
  target: TerminusInit;
  /** Largest message that this end accepts, in bytes, as stated to the peer. Default: that of the connection. */
  maxMessageBytes?: number | undefined;
  /** Further fields of the attach, by their names in AMQP. */
  fields?: AttachFields | undefined;
  /** Links with the same key share sessions with no others: an error of one may end the session of all. */
  session?: object | undefined;
  /** Called once when the peer detaches, the session ends or the connection is lost. Never called after our own close(). */
  onDetach?: ((error: Error | undefined) => void) | undefined;
}

/** snd-settle-mode (transport 2.8.2) of the sender. */
export type SettleMode = "unsettled" | "settled" | "mixed";

/** Contents of the peer's attach. */
export interface RemoteAttach {
  readonly handle: number;
  readonly source: Terminus | undefined;
  readonly target: Terminus | undefined;
  readonly settleMode: SettleMode;
  readonly initialDeliveryCount: number;
  /** Undefined: no limit. */
  readonly maxMessageBytes: number | undefined;
}

/** The control plane's half of a link. */
export interface LinkControl {
  readonly handle: number;
  detach(error: AmqpErrorInit | undefined): void;
}

interface AttachWaiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A receiver that owes the peer a flow with its credit. */
export interface FlowWriter {
  writeFlow(): void;
}

/** The part of a session that its links use. */
export interface LinkSession {
  readonly outgoing: SessionOutgoing;
  readonly incoming: SessionIncoming;
  /** Largest message that we accept, in bytes. */
  readonly maxMessageBytes: number;
  readonly warnings: RecurringWarnings;
  /** Reserves bytes for incomplete deliveries; a negative number frees them. Throws when the connection holds too many. */
  reserveBytes(bytes: number): void;
  /** Settles a delivery, in one disposition with others of this turn where possible. */
  settle(id: number, state: DeliveryState): void;
  /** Calls `writeFlow` of the receiver at the end of the turn. */
  wantsFlow(receiver: FlowWriter): void;
  writeLinkFlow(handle: number, deliveryCount: number, credit: number, drain: boolean): void;
  logCallbackError(callback: string, link: string, thrown: unknown): void;
}

/** Base of senders and receivers. A link is attached once and ends once. */
export abstract class Link {
  readonly name: string;
  protected readonly session: LinkSession;
  readonly #onDetach: LinkInit["onDetach"];
  #state: "attaching" | "attached" | "closing" | "detached" = "attaching";
  #control: LinkControl | undefined;
  #remote: RemoteAttach | undefined;
  #error: Error | undefined;
  #openers: AttachWaiter[] = [];
  #closers: (() => void)[] = [];

  constructor(session: LinkSession, init: LinkInit) {
    this.name = init.name;
    this.session = session;
    this.#onDetach = init.onDetach;
  }

  get attached(): boolean {
    return this.#state === "attached";
  }

  /** The source that the peer stated, with the address of a dynamic one. */
  get source(): Terminus | undefined {
    return this.#remote?.source;
  }

  get target(): Terminus | undefined {
    return this.#remote?.target;
  }

  /** Largest message that the peer accepts, in bytes. Undefined: no limit. */
  get maxMessageBytes(): number | undefined {
    return this.#remote?.maxMessageBytes;
  }

  /** Detaches. Resolves when the peer has detached too, when the session or the connection ends, or after 2 s. Idempotent. */
  async close(error?: AmqpErrorInit): Promise<void> {
    if (this.#state === "detached") return;
    if (this.#state !== "closing") {
      this.#state = "closing";
      this.#finish(
        new AmqpError({ condition: "amqp:link:detach-forced", description: `link ${this.name} was closed` }),
      );
      this.beforeDetach();
      this.#control?.detach(error);
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DETACH_MS);
      this.#closers.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** @internal Our handle of this link. */
  get handle(): number {
    return this.#control?.handle ?? 0;
  }

  /** @internal */
  bind(control: LinkControl): void {
    this.#control = control;
  }

  /** @internal Resolves when the peer attaches the link. Rejects when the link is refused or ends before that. */
  whenAttached(): Promise<void> {
    if (this.#state === "attached") return Promise.resolve();
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#openers.push({ resolve, reject }));
  }

  /** @internal Handles the peer's attach. An attach without the peer's terminus is a refusal: the detach after it has the reason. */
  onAttach(remote: RemoteAttach): void {
    this.#remote = remote;
    if (this.#state !== "attaching" || this.remoteTerminus(remote) === undefined) return;
    this.#state = "attached";
    this.whenOpen(remote);
    for (const { resolve } of this.#openers.splice(0)) resolve();
  }

  /** @internal Handles the peer's detach, or the end of the session or the connection. */
  onEnd(error: Error | undefined): void {
    const before = this.#state;
    if (before === "detached") return;
    this.#state = "detached";
    this.#finish(
      error ??
        new AmqpError({ condition: "amqp:link:detach-forced", description: `the peer detached link ${this.name}` }),
    );
    for (const resolve of this.#closers.splice(0)) resolve();
    if (before !== "attached") return;
    try {
      this.#onDetach?.(error);
    } catch (thrown) {
      this.session.logCallbackError("onDetach", this.name, thrown);
    }
  }

  /** @internal Handles the peer's flow for this link. */
  abstract onFlow(flow: Flow): void;

  /** @internal Handles a transfer performative and the payload behind it. Throws ProtocolError on a sending link. */
  onTransfer(_transfer: Transfer, _payload: Uint8Array): void {
    throw new ProtocolError(`transfer from the peer on sending link ${this.name}`);
  }

  /** The terminus that the peer states: the source of a receiver, the target of a sender. */
  protected abstract remoteTerminus(remote: RemoteAttach): Terminus | undefined;
  protected abstract whenOpen(remote: RemoteAttach): void;
  /** Writes what is still owed to the peer on this link, before the detach. */
  protected abstract beforeDetach(): void;
  /** Called when the link has ended: settles everything that waits for it. */
  protected abstract onLost(error: Error): void;

  /** Cause of the link's end. Undefined before the end. */
  protected get error(): Error | undefined {
    return this.#error;
  }

  #finish(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const { reject } of this.#openers.splice(0)) reject(error);
    this.onLost(error);
  }
}
