import type { IntermediaryKind } from "./address-table.js";
import type { Distribution } from "./addresses.js";

/**
 * Where an embedded intermediary tells who is connected to it and who listens where: `$` as in `$management`. Any client that
 * was let in may attach a receiving link to it, and sees the virtual host that it has chosen: it is for development. Each
 * message is a {@link Topology} as JSON (`application/json`, in a data section), settled: one at the first credit, then one
 * whenever there is something new, at most about four a second. Who gives no credit gets the newest when it does.
 */
export const TOPOLOGY_ADDRESS = "$topology";

/** A capability of the source at this address: a peer that is something else, and has such an address too, does not offer it. */
export const TOPOLOGY_CAPABILITY = "oslo-messaging-topology";

/** What an embedded intermediary knows at one moment. Long texts are cut off, at 300 characters; long lists too, see `omitted`. */
export interface Topology {
  /** What it is. */
  readonly kind: IntermediaryKind;
  /** What it calls itself. */
  readonly product: string;
  /** Who is connected to the virtual host, the oldest first: at most 1,000. */
  readonly connections: readonly TopologyConnection[];
  /** The addresses in use, the oldest first: at most 1,000. This one is not among them. */
  readonly addresses: readonly TopologyAddress[];
  /** How much has been left out because there is more than fits. */
  readonly omitted: {
    /** Of `connections`. */
    readonly connections: number;
    /** Of `addresses`. */
    readonly addresses: number;
    /** Of `receivers` and `senders` of all addresses together: there are 10,000 at most. */
    readonly links: number;
  };
}

/** One client. Absent is what it does not say of itself. */
export interface TopologyConnection {
  /** The same as long as it lasts, and never another one's. */
  readonly id: string;
  /** Its container id. */
  readonly container: string;
  /** What it calls itself. */
  readonly product?: string | undefined;
  /** The machine that it runs on: oslo.messaging's drivers say this, and the next two, in the properties of their Open. */
  readonly node?: string | undefined;
  /** The name of its program. */
  readonly process?: string | undefined;
  /** The number of its process. */
  readonly pid?: string | undefined;
  /** As whom it was let in. */
  readonly user?: string | undefined;
  /** It watches the topology. */
  readonly watching: boolean;
}

/** An address that has links, or messages that wait. */
export interface TopologyAddress {
  /** As links name it; of a dynamic one the beginning, for who knows all of it could send to it. */
  readonly address: string;
  /** Who gets a message. */
  readonly distribution: Distribution;
  /** It was made for the one link that receives from it, and goes with it: where replies go to. */
  readonly dynamic: boolean;
  /** Whose links take messages from it. */
  readonly receivers: readonly TopologyLinks[];
  /** Whose links send to it. */
  readonly senders: readonly TopologyLinks[];
  /** How many messages it has handed over to receivers since it came into use: one that goes to three counts as three. */
  readonly passed: number;
  /** How many it holds for receivers: they have not got them yet, or have not answered. */
  readonly waiting: number;
}

/** The links between an address and one client, in one direction. */
export interface TopologyLinks {
  /** The `id` of the client's connection. */
  readonly connection: string;
  /** How many there are. */
  readonly links: number;
}
