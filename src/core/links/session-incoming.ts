import { ProtocolError } from "../errors.js";
import { writeDisposition } from "../frames/performatives.js";
import type { DeliveryState } from "../messages/outcome.js";
import { serialAdd } from "../types/serial.js";
import type { Output } from "./output.js";

/** How many transfers the peer may have under way: announced in Begin, and again when half of them have come. */
export const INCOMING_WINDOW = 2048;

/** Deliveries in a row that get the same answer. */
interface DispositionRun {
  first: number;
  last: number;
  state: DeliveryState;
}

/** What a session receives: our window, and our answers, gathered into as few dispositions as say the same. */
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

  /** next-incoming-id: the id that the next transfer frame has. */
  get nextId(): number {
    return this.#nextId;
  }

  onBegin(nextOutgoingId: number): void {
    this.#nextId = nextOutgoingId;
  }

  /** Counts a transfer frame. True when it is time to announce the window again. */
  onTransfer(): boolean {
    if (this.#left === 0) {
      throw new ProtocolError(`more than ${INCOMING_WINDOW} transfers at once`, "amqp:session:window-violation");
    }
    this.#nextId = serialAdd(this.#nextId, 1);
    this.#left--;
    return this.#left <= INCOMING_WINDOW / 2;
  }

  /** A flow leaves, and announces the whole window. */
  announced(): void {
    this.#left = INCOMING_WINDOW;
  }

  /** Adds an answer to the run, or writes the run and begins the next. */
  settle(id: number, state: DeliveryState): void {
    const run = this.#run;
    if (run !== undefined && id === serialAdd(run.last, 1) && isSame(state, run.state)) {
      run.last = id;
      return;
    }
    this.flush();
    this.#run = { first: id, last: id, state };
  }

  /** Writes the answers gathered so far. */
  flush(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    writeDisposition(this.#output.writer, this.#channel, true, run.first, run.last, run.state);
    this.#output.wrote();
  }
}

/** Equal to the peer. Rejections carry their own reasons and are not compared. */
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
