import type { Connection, LinkRequest } from "../core/connection.js";
import type { AmqpErrorInit } from "../core/errors.js";
import type { Terminus } from "../core/link.js";
import type { Receiver } from "../core/receiver.js";
import { isDynamicAddress, newDynamicAddress } from "./addresses.js";
import type { Inlet, InletHandlers, Outlet, OutletHandlers } from "./links.js";
import type { IntermediaryKind, Nodes } from "./nodes.js";

/** Characters. The longest that oslo.messaging makes have a few hundred. */
const LONGEST_ADDRESS = 2048;

/** Decides on the links that clients ask for: joins each to the node of its address, or refuses it. */
export class Reception {
  readonly #nodes: Nodes;
  readonly #kind: IntermediaryKind;
  readonly #linksPerConnection: number;
  readonly #links = new WeakMap<Connection, number>();

  constructor(nodes: Nodes, kind: IntermediaryKind, linksPerConnection: number) {
    this.#nodes = nodes;
    this.#kind = kind;
    this.#linksPerConnection = linksPerConnection;
  }

  receive(request: LinkRequest): void {
    const refusal = this.#tooMany(request) ?? this.#join(request);
    if (refusal !== undefined) request.refuse(refusal);
  }

  #join(request: LinkRequest): AmqpErrorInit | undefined {
    const { source, target } = request;
    if (source === undefined || target === undefined) return invalid("a link needs a source and a target");
    return request.role === "sender"
      ? this.#addConsumer(request, source, target)
      : this.#addProducer(request, source, target);
  }

  #tooMany({ connection }: LinkRequest): AmqpErrorInit | undefined {
    if (this.#count(connection, 0) < this.#linksPerConnection) return undefined;
    const description = `at most ${this.#linksPerConnection} links are taken on a connection`;
    return { condition: "amqp:resource-limit-exceeded", description };
  }

  #count(connection: Connection, change: number): number {
    const links = (this.#links.get(connection) ?? 0) + change;
    this.#links.set(connection, links);
    return links;
  }

  #addConsumer(request: LinkRequest, source: Terminus, target: Terminus): AmqpErrorInit | undefined {
    const { dynamic } = source;
    const address = dynamic ? newDynamicAddress() : (source.address ?? "");
    if (address === "") return invalid("a source without an address");
    if (address.length > LONGEST_ADDRESS) return tooLong(address);
    if (isDynamicAddress(address) && !dynamic) {
      return { condition: "amqp:not-allowed", description: "a dynamic node is for the link alone that made it" };
    }
    const open = ({ onCredit, onDetach }: OutletHandlers): Outlet =>
      request.acceptSender({
        source: { address, dynamic },
        target: { address: target.address },
        onCredit,
        onDetach: this.#counted(request, onDetach),
      });
    this.#nodes.at(address, dynamic).addConsumer({ open, settleMode: request.settleMode });
    return undefined;
  }

  #addProducer(request: LinkRequest, source: Terminus, target: Terminus): AmqpErrorInit | undefined {
    const { address = "", dynamic } = target;
    if (dynamic) return notImplemented("a dynamic target");
    if (address === "") return notImplemented("a target without an address (anonymous relay)");
    if (address.length > LONGEST_ADDRESS) return tooLong(address);
    // A router attaches it, without credit: for all it knows the address may be another router's.
    if (this.#kind === "broker" && isDynamicAddress(address) && !this.#nodes.has(address)) {
      return { condition: "amqp:not-found", description: `${address} is gone` };
    }
    const open = ({ onParcel, onDetach }: InletHandlers, credit: number): Inlet => {
      const receiver = request.acceptReceiver({
        source: { address: source.address },
        target: { address },
        credit,
        onDelivery: onParcel,
        onDetach: this.#counted(request, onDetach),
      });
      return inletOf(receiver, () => this.#count(request.connection, -1));
    };
    this.#nodes.at(address).addProducer(open);
    return undefined;
  }

  /** Counts a link in, and out again when the client detaches it. */
  #counted({ connection }: LinkRequest, onDetach: () => void): () => void {
    this.#count(connection, 1);
    return () => {
      this.#count(connection, -1);
      onDetach();
    };
  }
}

/** The core reports no detach of a link that is closed from here. */
function inletOf(receiver: Receiver, onClose: () => void): Inlet {
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
