// The library and all scenarios, for a page and, in the two programs beside it, for its workers.
import * as oslo from "oslo-messaging";
import { perform } from "../perform.js";
import type { Report, Setting } from "../scenario.js";

/** Of a worker's scope, a SharedWorker's port and a MessageChannel what is needed here. */
export interface Port {
  onmessage: ((event: MessageEvent) => unknown) | null;
  postMessage(message: unknown): void;
}

/** What comes back by a port: reports, and then, once, either that all have been told or why they never will be. */
export interface Told {
  readonly report?: Report;
  readonly failure?: string;
}

/** Performs in the setting that comes by a port. */
export function performBy(port: Port): void {
  const tell = (told: Told): void => port.postMessage(told);
  port.onmessage = ({ data }: MessageEvent<Setting>) =>
    perform(oslo, data, (report) => tell({ report })).then(
      () => tell({}),
      (error: Error) => tell({ failure: `${error}\n${error.stack}` }),
    );
}
