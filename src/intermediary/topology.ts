import type { IntermediaryKind } from "./address-table.js";
import type { Distribution } from "./addresses.js";

/**
 * The address where an embedded intermediary publishes its clients and the addresses that they use: `$` as in
 * `$management`. For development: any client that may connect may attach a receiving link, and sees the virtual host
 * that it selected. Each message is a {@link Topology} as JSON (`application/json`, in a data section), settled. The
 * first is sent at the first credit, then one after each change, at most about four a second. A client that gives no
 * credit gets the newest when it does.
 */
export const TOPOLOGY_ADDRESS = "$topology";

/** A capability of the source at this address. Other products that have an address of this name do not offer it. */
export const TOPOLOGY_CAPABILITY = "oslo-messaging-topology";

/** A snapshot of an embedded intermediary. Texts are cut at 300 characters; long lists are cut too, see `omitted`. */
export interface Topology {
  /** Router or broker. */
  readonly kind: IntermediaryKind;
  /** The product in the intermediary's Open. */
  readonly product: string;
  /** The connections to the virtual host, the oldest first: at most 1,000. */
  readonly connections: readonly TopologyConnection[];
  /** The addresses in use, the oldest first: at most 1,000. The topology's own address is not included. */
  readonly addresses: readonly TopologyAddress[];
  /** The numbers of items that were left out because a list was too long. */
  readonly omitted: {
    /** Of `connections`. */
    readonly connections: number;
    /** Of `addresses`. */
    readonly addresses: number;
    /** Of `receivers` and `senders` of all addresses together, which have 10,000 items at most. */
    readonly links: number;
  };
}

/** The connection of one client. Properties that the client does not send are omitted. */
export interface TopologyConnection {
  /** Identifies the connection as long as it is open; never reused. */
  readonly id: string;
  /** The client's container id. */
  readonly container: string;
  /** The product in the client's Open. */
  readonly product?: string | undefined;
  /** Name of the client's machine. oslo.messaging's drivers send it and the next two in the properties of their Open. */
  readonly node?: string | undefined;
  /** Name of the client's program. */
  readonly process?: string | undefined;
  /** ID of the client's process. */
  readonly pid?: string | undefined;
  /** The name that the client authenticated with. */
  readonly user?: string | undefined;
  /** Whether the client watches the topology. */
  readonly watching: boolean;
}

/** An address that has links, or messages that wait. */
export interface TopologyAddress {
  /** The address as links name it. A dynamic one is cut, because a client that knows all of it could send to it. */
  readonly address: string;
  /** Distribution of messages among the receivers. */
  readonly distribution: Distribution;
  /** Whether the address was created for one receiving link and is deleted with that link, like those for replies. */
  readonly dynamic: boolean;
  /** The links that receive messages from the address. */
  readonly receivers: readonly TopologyLinks[];
  /** The links that send messages to the address. */
  readonly senders: readonly TopologyLinks[];
  /** Number of messages sent to receivers since the address came into use; one sent to three counts as three. */
  readonly passed: number;
  /** Number of messages held for receivers: not yet sent, or sent and not settled. */
  readonly waiting: number;
}

/** The links between an address and one client, in one direction. */
export interface TopologyLinks {
  /** The `id` of the client's connection. */
  readonly connection: string;
  /** Number of links. */
  readonly links: number;
}
