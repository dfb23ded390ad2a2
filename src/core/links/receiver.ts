import { ProtocolError } from "../errors.js";
import type { Flow, Transfer } from "../frames/performatives.js";
import type { DeliveryState } from "../messages/outcome.js";
import { concat } from "../types/bytes.js";
import { serialAdd } from "../types/serial.js";
import { Assembly } from "./assembly.js";
import { Delivery } from "./delivery.js";
import { Link, type LinkInit, type LinkSession, type RemoteAttach, type Terminus } from "./link.js";

export interface ReceiverInit extends LinkInit {
  /** Called for each delivery. If it throws, the delivery is settled as modified (delivery-failed). */
  onDelivery: (delivery: Delivery) => void;
  /** Called for a message that is rejected for its size, with its first and last bytes, 4,096 each. Must not throw. */
  onTooLarge?: ((ends: Uint8Array, reason: string) => void) | undefined;
  /** Credit of the peer while no delivery is unsettled. It is returned as deliveries are settled. 0: only `grant` gives credit. */
  credit: number;
}

/** A delivery that still lacks frames. */
interface PartialDelivery {
  readonly id: number;
  settled: boolean;
  /** Undefined for a message beyond the limit: only its size, and its ends for `onTooLarge`, are kept. */
  assembly: Assembly | undefined;
  ends: Uint8Array;
  bytes: number;
}

const NOTHING = new Uint8Array(0);
/** Bytes that are kept of each end of a message beyond the limit: enough for its properties, and for the IDs of a body. */
const END_BYTES = 4_096;

/** A receiving link. */
export class Receiver extends Link {
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #onTooLarge: ReceiverInit["onTooLarge"];
  readonly #maxBytes: number;
  #window: number;
  #credit = 0;
  #deliveryCount = 0;
  #unsettled = 0;
  #partial: PartialDelivery | undefined;
  #drained: (() => void)[] = [];

  constructor(session: LinkSession, init: ReceiverInit) {
    super(session, init);
    this.#onDelivery = init.onDelivery;
    this.#onTooLarge = init.onTooLarge;
    this.#maxBytes = init.maxMessageBytes ?? session.maxMessageBytes;
    this.#window = init.credit;
  }

  /** Deliveries that the peer may still send. */
  get credit(): number {
    return this.#credit;
  }

  /** Deliveries that we have not settled yet. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Allows this many more deliveries. */
  grant(credit: number): void {
    if (!this.attached || credit <= 0) return;
    this.#credit += credit;
    this.session.wantsFlow(this);
  }

  /** Withdraws the credit for good. Resolves when the peer has used or returned all of it, or when the link ends. */
  async drain(): Promise<void> {
    this.#window = 0;
    if (!this.attached || this.#credit === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained.push(resolve);
      this.session.wantsFlow(this);
    });
  }

  /** @internal */
  override onTransfer(transfer: Transfer, payload: Uint8Array): void {
    if (!this.attached) return; // the peer sent it before it saw our detach
    if (this.#partial === undefined) {
      const id = this.#begin(transfer);
      if (!transfer.more && !transfer.aborted) return this.#deliver(id, payload, payload.length, transfer.settled);
      this.#partial = { id, settled: false, assembly: new Assembly(), ends: NOTHING, bytes: 0 };
    }
    const partial = this.#partial;
    if (transfer.deliveryId !== undefined && transfer.deliveryId !== partial.id) {
      throw new ProtocolError(
        `delivery ${transfer.deliveryId} began on link ${this.name} before ${partial.id} was complete`,
      );
    }
    if (transfer.aborted) return this.#abort();
    partial.settled ||= transfer.settled;
    this.#keep(partial, payload);
    if (transfer.more) return;
    this.#dropPartial();
    this.#deliver(partial.id, partial.assembly?.whole() ?? partial.ends, partial.bytes, partial.settled);
  }

  /** @internal Handles the peer's flow for this link: the answer to a drain, or a request for our state. */
  override onFlow(flow: Flow): void {
    if (flow.deliveryCount !== undefined) {
      const unused = serialAdd(flow.deliveryCount, -this.#deliveryCount);
      if (unused > 0 && unused <= this.#credit) {
        this.#deliveryCount = flow.deliveryCount;
        this.#credit -= unused;
        this.#reportDrained();
      }
    }
    if (flow.echo) this.session.wantsFlow(this);
  }

  /** @internal */
  settled(delivery: Delivery, state: DeliveryState): void {
    this.#unsettled--;
    if (!this.attached) return;
    if (!delivery.settled) this.session.settle(delivery.id, state);
    this.#returnCredit();
  }

  /** @internal Tops the credit up to the window and sends it to the peer. */
  writeFlow(): void {
    if (!this.attached) return;
    const inHand = this.#partial === undefined ? this.#unsettled : this.#unsettled + 1;
    this.#credit += Math.max(0, this.#window - this.#credit - inHand);
    this.session.writeLinkFlow(this.handle, this.#deliveryCount, this.#credit, this.#drained.length > 0);
  }

  protected override remoteTerminus(remote: RemoteAttach): Terminus | undefined {
    return remote.source;
  }

  protected override whenOpen(remote: RemoteAttach): void {
    this.#deliveryCount = remote.initialDeliveryCount;
    if (this.#window > 0) this.session.wantsFlow(this);
  }

  protected override beforeDetach(): void {
    this.session.incoming.flush();
  }

  protected override onLost(): void {
    this.#dropPartial();
    this.#credit = 0;
    this.#reportDrained();
  }

  #begin(transfer: Transfer): number {
    if (transfer.deliveryId === undefined) {
      throw new ProtocolError(`a delivery without delivery-id began on link ${this.name}`);
    }
    if (this.#credit === 0) {
      throw new ProtocolError(
        `a delivery arrived on link ${this.name} without credit`,
        "amqp:link:transfer-limit-exceeded",
      );
    }
    this.#credit--;
    this.#deliveryCount = serialAdd(this.#deliveryCount, 1);
    return transfer.deliveryId;
  }

  #keep(partial: PartialDelivery, payload: Uint8Array): void {
    const { assembly } = partial;
    let piece = payload;
    partial.bytes += payload.length;
    if (assembly !== undefined) {
      if (partial.bytes <= this.#maxBytes) {
        this.session.reserveBytes(payload.length);
        assembly.add(payload);
        return;
      }
      this.session.reserveBytes(-assembly.bytes);
      partial.assembly = undefined;
      assembly.add(payload);
      piece = assembly.whole();
    }
    if (this.#onTooLarge !== undefined) partial.ends = endsOf(partial.ends, piece);
  }

  #dropPartial(): void {
    const partial = this.#partial;
    this.#partial = undefined;
    if (partial?.assembly !== undefined) this.session.reserveBytes(-partial.assembly.bytes);
  }

  /** `bytes` is the size of the message, even when it was too large to be kept. */
  #deliver(id: number, payload: Uint8Array, bytes: number, settled: boolean): void {
    this.#unsettled++;
    const delivery = new Delivery(this, id, payload, settled);
    const limit = this.#maxBytes;
    if (bytes <= limit) {
      try {
        this.#onDelivery(delivery);
      } catch (thrown) {
        this.session.logCallbackError("onDelivery", this.name, thrown);
        delivery.modify({ deliveryFailed: true, undeliverableHere: false });
      }
    } else {
      const description = `message of ${bytes} bytes exceeds the limit of ${limit} bytes`;
      this.session.warnings.warn("large message", `rejected on link ${this.name}: ${description}`);
      delivery.reject({ condition: "amqp:link:message-size-exceeded", description });
      this.#onTooLarge?.(payload, description);
    }
    this.#reportDrained();
    // Unsettled deliveries may stay for long, and the settled ones returned no credit while more than half was left.
    if (this.#credit === 0 && this.#unsettled < this.#window) this.session.wantsFlow(this);
  }

  /** Transport 2.7.5: an aborted delivery is discarded. Its credit is returned. */
  #abort(): void {
    this.#dropPartial();
    this.#returnCredit();
    this.#reportDrained();
  }

  /** Returns credit when half of it is used, as oslo does. A credit of 1 is returned each time. */
  #returnCredit(): void {
    if (this.#window > 0 && this.#credit <= (this.#window + 1) / 2) this.session.wantsFlow(this);
  }

  #reportDrained(): void {
    if (this.#credit > 0 || this.#drained.length === 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** The first and the last bytes of what is kept of a message and its next piece. */
function endsOf(kept: Uint8Array, piece: Uint8Array): Uint8Array {
  const both = concat([kept, piece], kept.length + piece.length);
  if (both.length <= 2 * END_BYTES) return both;
  return concat([both.subarray(0, END_BYTES), both.subarray(-END_BYTES)], 2 * END_BYTES);
}
