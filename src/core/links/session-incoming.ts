import { ProtocolError } from "../errors.js";
import { writeDisposition } from "../frames/performatives.js";
import type { DeliveryState } from "../messages/outcome.js";
import { serialAdd } from "../types/serial.js";
import type { Output } from "./output.js";

/** Transfers that the peer may have in flight. Announced in Begin, and again when half of them have arrived. */
export const INCOMING_WINDOW = 2048;

/** Consecutive deliveries with the same outcome. */
interface DispositionRun {
  first: number;
  last: number;
  state: DeliveryState;
}

/** The incoming half of a session: our window, and the outcomes of deliveries, gathered into as few dispositions as possible. */
export class SessionIncoming {
  readonly #output: Output;
  readonly #channel: number;
  #nextId = 0;
  #left = INCOMING_WINDOW;
  #run: DispositionRun | undefined;

  constructor(output: Output, channel: number) {
    this.#output = output;
    this.#channel = channel;
  }

  /** next-incoming-id: the id of the next transfer frame. */
  get nextId(): number {
    return this.#nextId;
  }

  onBegin(nextOutgoingId: number): void {
    this.#nextId = nextOutgoingId;
  }

  /** Counts a transfer frame. Returns true when the window should be announced again. */
  onTransfer(): boolean {
    if (this.#left === 0) {
      throw new ProtocolError(`more than ${INCOMING_WINDOW} transfers at once`, "amqp:session:window-violation");
    }
    this.#nextId = serialAdd(this.#nextId, 1);
    this.#left--;
    return this.#left <= INCOMING_WINDOW / 2;
  }

  /** Called when a flow announces the whole window. */
  announced(): void {
    this.#left = INCOMING_WINDOW;
  }

  /** Adds an outcome to the run, or writes the run and begins the next. */
  settle(id: number, state: DeliveryState): void {
    const run = this.#run;
    if (run !== undefined && id === serialAdd(run.last, 1) && isSame(state, run.state)) {
      run.last = id;
      return;
    }
    this.flush();
    this.#run = { first: id, last: id, state };
  }

  /** Writes the gathered outcomes. */
  flush(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    writeDisposition(this.#output.writer, this.#channel, true, run.first, run.last, run.state);
    this.#output.wrote();
  }
}

/** True for states that are equal on the wire. Rejections carry their own reasons and are not compared. */
function isSame(a: DeliveryState, b: DeliveryState): boolean {
  if (a === b) return true;
  switch (a.type) {
    case "accepted":
    case "released":
      return b.type === a.type;
    case "modified":
      return (
        b.type === "modified" && b.deliveryFailed === a.deliveryFailed && b.undeliverableHere === a.undeliverableHere
      );
    case "rejected":
      return false;
    default:
      return a satisfies never;
  }
}
