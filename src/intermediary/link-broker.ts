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

/** Characters. The longest that oslo.messaging makes have a few hundred. */
const LONGEST_ADDRESS = 2048;

export interface LinkBrokerInit {
  readonly kind: IntermediaryKind;
  readonly linksPerConnection: number;
  readonly clients: Clients;
  readonly addresses: AddressTable;
  readonly topology: TopologyPublisher;
}

/** Lets in clients, and decides on the links that they ask for: joins each to the node of its address, or refuses it. */
export class LinkBroker {
  readonly #init: LinkBrokerInit;

  constructor(init: LinkBrokerInit) {
    this.#init = init;
  }

  /** A client has opened its connection. `username`: as whom, if that was said. */
  admit(connection: Connection, username: string | undefined): void {
    this.#init.clients.add(connection, username);
  }

  receive(request: LinkRequest, connection: Connection): void {
    const client = this.#init.clients.of(connection);
    const refusal = this.#tooMany(client) ?? this.#join(request, client);
    if (refusal !== undefined) request.refuse(refusal);
  }

  #tooMany({ links }: Client): AmqpErrorInit | undefined {
    const { linksPerConnection } = this.#init;
    if (links < linksPerConnection) return undefined;
    const description = `at most ${linksPerConnection} links are taken on a connection`;
    return { condition: "amqp:resource-limit-exceeded", description };
  }

  #join(request: LinkRequest, client: Client): AmqpErrorInit | undefined {
    const { source, target } = request;
    if (source === undefined || target === undefined) return invalid("a link needs a source and a target");
    return request.role === "sender"
      ? this.#addConsumer(request, client, source, target)
      : this.#addProducer(request, client, source, target);
  }

  #addConsumer(request: LinkRequest, client: Client, source: Terminus, target: Terminus): AmqpErrorInit | undefined {
    const { dynamic } = source;
    const address = dynamic ? newDynamicAddress() : (source.address ?? "");
    if (address === "") return invalid("a source without an address");
    if (address.length > LONGEST_ADDRESS) return tooLong(address);
    if (isDynamicAddress(address) && !dynamic) {
      return { condition: "amqp:not-allowed", description: "a dynamic node is for the link alone that made it" };
    }
    const { node, receivers, capabilities } = this.#sourceAt(address, dynamic);
    const open = ({ onCredit, onDetach }: ConsumerSenderHandlers): ConsumerSender => {
      const leave = joined(client, receivers);
      return request.acceptSender({
        source: { address, dynamic, capabilities },
        target: { address: target.address },
        onCredit,
        onDetach() {
          leave();
          onDetach();
        },
      });
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
    const { kind, addresses } = this.#init;
    const { address = "", dynamic } = target;
    if (dynamic) return notImplemented("a dynamic target");
    if (address === "") return notImplemented("a target without an address (anonymous relay)");
    if (address.length > LONGEST_ADDRESS) return tooLong(address);
    // A router attaches it, without credit: for all it knows the address may be another router's.
    if (kind === "broker" && isDynamicAddress(address) && !addresses.has(address)) {
      return { condition: "amqp:not-found", description: `${address} is gone` };
    }
    if (address === TOPOLOGY_ADDRESS) {
      return { condition: "amqp:not-allowed", description: `${address} is only for receiving from` };
    }
    const { node, senders } = addresses.at(address);
    const open = ({ onMessage, onDetach }: ProducerLinkHandlers, credit: number): ProducerLink => {
      const leave = joined(client, senders);
      const receiver = request.acceptReceiver({
        source: { address: source.address },
        target: { address },
        credit,
        onDelivery: onMessage,
        onDetach() {
          leave();
          onDetach();
        },
      });
      return inletOf(receiver, leave);
    };
    node.addProducer(open);
    return undefined;
  }
}

/** Where a consumer's link comes from. */
interface Source {
  readonly node: Pick<Node, "addConsumer">;
  readonly receivers: LinkCounts;
  readonly capabilities?: readonly string[] | undefined;
}

/** Counts a link in; gives what counts it out. */
function joined(client: Client, links: LinkCounts): () => void {
  client.links++;
  links.add(client);
  return () => {
    client.links--;
    links.delete(client);
  };
}

/** The core reports no detach of a link that is closed from here. */
function inletOf(receiver: Receiver, onClose: () => void): ProducerLink {
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

function invalid(what: string): AmqpErrorInit {
  return { condition: "amqp:invalid-field", description: what };
}

function notImplemented(what: string): AmqpErrorInit {
  return { condition: "amqp:not-implemented", description: what };
}

function tooLong(address: string): AmqpErrorInit {
  return invalid(`an address of ${address.length} characters, at most ${LONGEST_ADDRESS} are taken`);
}
