import type { NotificationTransport, RPCTransport } from "../../src/entry/web.js";

/** What the page is connected by. */
export interface Transports {
  rpc: RPCTransport;
  notifications: NotificationTransport;
}

/** A part of the page that works while there are transports. They may be without a connection, and get one again. */
export interface View {
  open(transports: Transports): void;
  /** Comes before the transports are closed. */
  close(): Promise<void>;
}
