import type { Frame } from "@/src/entry/node.js";
import { Inbox } from "../support/inbox.js";

/** The frames of a transport as they pass, for a test that waits for one: `onFrame` is the transport's option. */
export class Frames {
  readonly #inbox = new Inbox<Frame>("the frames of the transport");
  readonly onFrame = (frame: Frame): void => this.#inbox.put(frame);

  /** Resolves with the next one that has not been waited for; `about` stands somewhere in its fields. */
  passed(direction: Frame["direction"], performative: string, about = ""): Promise<Frame> {
    return this.#inbox.take(`${direction} ${performative} ${about}`, (frame) => {
      const isIt = frame.direction === direction && frame.performative === performative;
      return isIt && JSON.stringify(frame.fields).includes(about) ? frame : undefined;
    });
  }
}
