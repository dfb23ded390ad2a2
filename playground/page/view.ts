import type { NotificationTransport, RPCTransport, TransportOptions } from "oslo-messaging";

/** Location of the intermediary: run by `npm start`, in this page, or at a URL that the user typed. */
export type BusLocation = "embedded" | "page" | "url";

/** The page's connection to a message bus. */
export interface BusTransports {
  place: BusLocation;
  rpc: RPCTransport;
  notifications: NotificationTransport;
  /** Dialers of the transports in addition to those of the library. */
  dialers: TransportOptions["dialers"];
  /** URL of this message bus for a terminal, without credentials; undefined when a terminal cannot connect to it. */
  terminalUrl: string | undefined;
}

/** A part of the page that works between `open` and `close`. The transports may lose their connections and reconnect. */
export interface View {
  open(bus: BusTransports): void;
  /** Called before the transports are closed. */
  close(): Promise<void>;
}
