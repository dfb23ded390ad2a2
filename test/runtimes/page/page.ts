// The script of a page. It loads the library only when it is to: a library that cannot be loaded is a failure to tell of.
import { Inbox } from "@/test/support/inbox.js";
import type { Library, Setting } from "../scenario.js";
import type { Port, Told } from "./performer.js";

/** Where in a browser. */
export type Place = "page" | "Web Worker" | "SharedWorker";

declare global {
  /** The library, as the page loads it. */
  var loadLibrary: () => Promise<Library>;
  /** Has all scenarios performed. */
  var startPerforming: (place: Place, setting: Setting) => Promise<void>;
  /** What is told of that next. */
  var nextTold: () => Promise<Told>;
}

const told = new Inbox<Told>("a performer");
const ports: Readonly<Record<Place, () => Port | Promise<Port>>> = {
  async page() {
    const { performBy } = await import("./performer.js");
    const { port1, port2 } = new MessageChannel();
    performBy(port2);
    return port1;
  },
  "Web Worker": () => watched(new Worker("worker.js", { type: "module" })),
  SharedWorker: () => watched(new SharedWorker("shared-worker.js", { type: "module" })).port,
};

globalThis.loadLibrary = () => import("oslo-messaging");

globalThis.startPerforming = async (place, setting) => {
  const port = await ports[place]();
  port.onmessage = ({ data }) => told.put(data);
  port.postMessage(setting);
};

globalThis.nextTold = () => told.take("its next report", (next) => next, 60_000);

function watched<W extends Worker | SharedWorker>(worker: W): W {
  worker.onerror = (event) => {
    const why = event instanceof ErrorEvent ? event.message : "it could not be loaded";
    told.end(new Error(`the worker failed: ${why}`));
  };
  return worker;
}
