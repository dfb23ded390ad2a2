import type { Connection } from "../core/connection/connection.js";
import type { LinkRequest } from "../core/connection/link-request.js";
import type { AmqpErrorInit } from "../core/errors.js";
import type { Terminus } from "../core/links/link.js";
import type { Receiver } from "../core/links/receiver.js";
import type { AddressTable, IntermediaryKind } from "./address-table.js";
import { isDynamicAddress, newDynamicAddress } from "./addresses.js";
import type { Client, Clients, LinkCounts } from "./clients.js";
import type { ConsumerSender, ConsumerSenderHandlers, ProducerLink, ProducerLinkHandlers } from "./links.js";
import type { Node } from "./node.js";
import { TOPOLOGY_ADDRESS, TOPOLOGY_CAPABILITY } from "./topology.js";
import type { TopologyPublisher } from "./topology-publisher.js";

/** Longest address that is accepted, in characters. Those of oslo.messaging have a few hundred at most. */
const LONGEST_ADDRESS = 2048;

export interface LinkBrokerInit {
  readonly kind: IntermediaryKind;
  readonly linksPerConnection: number;
  /** Largest message that is accepted, in bytes. */
  readonly maxMessageBytes: number;
  readonly clients: Clients;
  readonly addresses: AddressTable;
  readonly topology: TopologyPublisher;
}

/** Registers clients, and attaches each link that they ask for to the node of its address, or refuses it. */
export class LinkBroker {
  readonly #init: LinkBrokerInit;

  constructor(init: LinkBrokerInit) {
    this.#init = init;
  }

  /** Registers the client of a new connection. `username` is undefined if it gave none. */
  admit(connection: Connection, username: string | undefined): void {
    this.#init.clients.add(connection, username);
  }

  receive(request: LinkRequest, connection: Connection): void {
    const client = this.#init.clients.of(connection);
    const refusal = this.#checkLimit(client) ?? this.#attach(request, client);
    if (refusal !== undefined) request.refuse(refusal);
  }

  #checkLimit({ links }: Client): AmqpErrorInit | undefined {
    const { linksPerConnection } = this.#init;
    if (links < linksPerConnection) return undefined;
    const description = `the connection has ${linksPerConnection} links already: no more are allowed`;
    return { condition: "amqp:resource-limit-exceeded", description };
  }

  #attach(request: LinkRequest, client: Client): AmqpErrorInit | undefined {
    const { source, target } = request;
    if (source === undefined || target === undefined) return invalid("a link needs a source and a target");
    return request.role === "sender"
      ? this.#addConsumer(request, client, source, target)
      : this.#addProducer(request, client, source, target);
  }

  #addConsumer(request: LinkRequest, client: Client, source: Terminus, target: Terminus): AmqpErrorInit | undefined {
    const { dynamic } = source;
    const address = dynamic ? newDynamicAddress() : (source.address ?? "");
    if (address === "") return invalid("the source has no address");
    if (address.length > LONGEST_ADDRESS) return tooLong(address);
    if (isDynamicAddress(address) && !dynamic) {
      return {
        condition: "amqp:not-allowed",
        description: "only the link that created a dynamic node receives from it",
      };
    }
    const at = this.#sourceAt(address, dynamic);
    const { node, receivers, capabilities } = at;
    const open = ({ onCredit, onDetach }: ConsumerSenderHandlers): ConsumerSender => {
      const uncount = countLink(client, receivers);
      const sender = request.acceptSender({
        source: { address, dynamic, capabilities },
        target: { address: target.address },
        onCredit,
        onDetach() {
          uncount();
          onDetach();
        },
      });
      if (dynamic) at.consumerMaxBytes = sender.maxMessageBytes;
      return sender;
    };
    node.addConsumer({ open, settleMode: request.settleMode });
    return undefined;
  }

  #sourceAt(address: string, dynamic: boolean): Source {
    const { addresses, topology } = this.#init;
    if (address !== TOPOLOGY_ADDRESS) return addresses.at(address, dynamic);
    return { node: topology, receivers: topology.receivers, capabilities: [TOPOLOGY_CAPABILITY] };
  }

  #addProducer(request: LinkRequest, client: Client, source: Terminus, target: Terminus): AmqpErrorInit | undefined {
    const { kind, addresses, maxMessageBytes } = this.#init;
    const { address = "", dynamic } = target;
    if (dynamic) return notImplemented("a dynamic target");
    if (address === "") return notImplemented("a target without an address (anonymous relay)");
    if (address.length > LONGEST_ADDRESS) return tooLong(address);
    // A router attaches the link without credit: the address may belong to another router.
    if (kind === "broker" && isDynamicAddress(address) && !addresses.has(address)) {
      return { condition: "amqp:not-found", description: `${address} is deleted` };
    }
    if (address === TOPOLOGY_ADDRESS) {
      return { condition: "amqp:not-allowed", description: `${address} is receive-only` };
    }
    const { node, senders, consumerMaxBytes = maxMessageBytes } = addresses.at(address);
    const open = ({ onMessage, onDetach }: ProducerLinkHandlers, credit: number): ProducerLink => {
      const uncount = countLink(client, senders);
      const receiver = request.acceptReceiver({
        source: { address: source.address },
        target: { address },
        // So that a server sends no reply that its caller would refuse.
        maxMessageBytes: Math.min(consumerMaxBytes, maxMessageBytes),
        credit,
        onDelivery: onMessage,
        onDetach() {
          uncount();
          onDetach();
        },
      });
      return producerLinkOf(receiver, uncount);
    };
    node.addProducer(open);
    return undefined;
  }
}

/** The node that a consumer's link receives from. */
interface Source {
  readonly node: Pick<Node, "addConsumer">;
  readonly receivers: LinkCounts;
  consumerMaxBytes?: number | undefined;
  readonly capabilities?: readonly string[] | undefined;
}

/** Counts a link. Returns a function that subtracts it again. */
function countLink(client: Client, links: LinkCounts): () => void {
  client.links++;
  links.add(client);
  return () => {
    client.links--;
    links.delete(client);
  };
}

/** Calls `onClose` on `close`: core reports no detach of a link that is closed from this side. */
function producerLinkOf(receiver: Receiver, onClose: () => void): ProducerLink {
  return {
    get credit() {
      return receiver.credit;
    },
    grant: (credit) => receiver.grant(credit),
    drain: () => receiver.drain(),
    close: (error) => {
      onClose();
      return receiver.close(error);
    },
  };
}

function invalid(description: string): AmqpErrorInit {
  return { condition: "amqp:invalid-field", description };
}

function notImplemented(feature: string): AmqpErrorInit {
  return { condition: "amqp:not-implemented", description: `${feature} is not supported` };
}

function tooLong(address: string): AmqpErrorInit {
  return invalid(`the address has ${address.length} characters, more than ${LONGEST_ADDRESS}`);
}
