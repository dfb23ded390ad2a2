import type { NotificationTransport, RPCTransport, TransportOptions } from "oslo-messaging";

/** Where the intermediary is: what `npm start` brought along, this page itself, or what the user has named. */
export type BusLocation = "embedded" | "page" | "url";

/** What the page is connected by. */
export interface BusTransports {
  place: BusLocation;
  rpc: RPCTransport;
  notifications: NotificationTransport;
  /** What the transports dial by, besides what the library has. */
  dialers: TransportOptions["dialers"];
  /** Where a terminal finds the servers of this message bus, without credentials. Absent: it cannot. */
  terminalUrl: string | undefined;
}

/** A part of the page that works while there is a bus. Its transports may be without a connection, and get one again. */
export interface View {
  open(bus: BusTransports): void;
  /** Comes before the transports are closed. */
  close(): Promise<void>;
}
