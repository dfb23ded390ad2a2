import { AmqpError, type AmqpErrorInit, ProtocolError } from "../errors.js";
import type { Flow, Transfer } from "../frames/performatives.js";
import type { Logger } from "../logger.js";
import type { DeliveryState } from "../messages/outcome.js";
import type { SessionIncoming } from "./session-incoming.js";
import type { SessionOutgoing } from "./session-outgoing.js";

/** How long the peer may take to answer our Detach. */
const DETACH_MS = 2_000;

/** One end of a link, as the peer stated it. */
export interface Terminus {
  readonly address: string | undefined;
  readonly dynamic: boolean;
  readonly capabilities: readonly string[];
}

/** One end of a link, as we ask for it. `dynamic`: the peer is to make a node and tell its address. */
export interface TerminusInit {
  address?: string | undefined;
  dynamic?: boolean | undefined;
  capabilities?: readonly string[] | undefined;
}

export interface LinkInit {
  /** Unique within the connection, both directions together. */
  name: string;
  source: TerminusInit;
  target: TerminusInit;
  /** The peer detached, the session ended, or the connection is gone: exactly once, never after our own close(). */
  onDetach?: ((error: Error | undefined) => void) | undefined;
}

/** snd-settle-mode (transport 2.8.2): how the sender means to send. */
export type SettleMode = "unsettled" | "settled" | "mixed";

/** What the peer's attach says. */
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

/** A receiver that has to tell the peer its credit. */
export interface FlowWriter {
  writeFlow(): void;
}

/** The session of a link, as far as the link uses it. */
export interface LinkSession {
  readonly outgoing: SessionOutgoing;
  readonly incoming: SessionIncoming;
  /** Largest message that we accept, in bytes. */
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  /** Counts bytes of incomplete deliveries in and, negative, out again. Throws when the connection holds too many. */
  reserveBytes(bytes: number): void;
  /** Settles a delivery, together with the others that are settled in this turn. */
  settle(id: number, state: DeliveryState): void;
  /** Has `writeFlow` called at the end of the turn. */
  wantsFlow(receiver: FlowWriter): void;
  writeLinkFlow(handle: number, deliveryCount: number, credit: number, drain: boolean): void;
  logCallbackError(callback: string, link: string, thrown: unknown): void;
}

/** What both directions of a link share: it is attached once, and ends once. */
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

  /** The peer's source: of a dynamic one, its address. */
  get source(): Terminus | undefined {
    return this.#remote?.source;
  }

  get target(): Terminus | undefined {
    return this.#remote?.target;
  }

  /** The largest message that the peer takes; undefined: any. */
  get maxMessageBytes(): number | undefined {
    return this.#remote?.maxMessageBytes;
  }

  /** Detaches. Resolves when the peer has too, or is gone, or takes no notice for 2 s. Idempotent. */
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

  /** @internal The handle under which we send of this link. */
  get handle(): number {
    return this.#control?.handle ?? 0;
  }

  /** @internal */
  bind(control: LinkControl): void {
    this.#control = control;
  }

  /** @internal Resolves at a good attach, rejects when the link is refused or ends before. */
  whenAttached(): Promise<void> {
    if (this.#state === "attached") return Promise.resolve();
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#openers.push({ resolve, reject }));
  }

  /** @internal The peer's attach came. Without its terminus it is a refusal, and the detach behind it says why. */
  onAttach(remote: RemoteAttach): void {
    this.#remote = remote;
    if (this.#state !== "attaching" || this.remoteTerminus(remote) === undefined) return;
    this.#state = "attached";
    this.whenOpen(remote);
    for (const { resolve } of this.#openers.splice(0)) resolve();
  }

  /** @internal The peer's detach came, or what carried the link is gone. */
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

  /** @internal The peer's flow for this link. */
  abstract onFlow(flow: Flow): void;

  /** @internal A transfer performative and the payload behind it. Throws ProtocolError on a link that we send on. */
  onTransfer(_transfer: Transfer, _payload: Uint8Array): void {
    throw new ProtocolError(`transfer on link ${this.name}, which we send on`);
  }

  /** Which end of a link is the peer's to grant. */
  protected abstract remoteTerminus(remote: RemoteAttach): Terminus | undefined;
  protected abstract whenOpen(remote: RemoteAttach): void;
  /** What is owed to the peer on this link has to leave before the detach. */
  protected abstract beforeDetach(): void;
  /** Nothing goes over this link any more: whoever waits is told. */
  protected abstract onLost(error: Error): void;

  /** Why the link ended; undefined while it has not. */
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
