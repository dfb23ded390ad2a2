import type { ServiceKind } from "../driver.js";
import type { ResolvedOptions } from "../options/options.js";
import { Target } from "../target.js";
import { type Product, productOf } from "./products.js";

/** Address of a link, and the capabilities to request with it. */
export interface Route {
  readonly address: string;
  readonly capabilities: readonly string[];
  /** Set where a sender must attach before a receiver can. See {@link Product}. */
  readonly bySender?: string | undefined;
}

type AddressKind = "unicast" | "multicast" | "anycast";

export interface AddresserInit {
  options: ResolvedOptions;
  /** Exchange of targets that omit it: oslo's `control_exchange`. */
  controlExchange: string;
  virtualHost: string | undefined;
  /** The product in the peer's Open. */
  product: string | undefined;
}

/**
 * Makes addresses from targets, for one connection. `addressing_mode` or else the peer's product determines their format
 * (oslo_messaging/_drivers/amqp1_driver/addressing.py). Empty parts are omitted, as in oslo.
 */
export class Addresser {
  readonly mode: "legacy" | "routable";
  readonly options: ResolvedOptions;
  readonly #init: AddresserInit;
  readonly #product: Product;
  /** A client resolves the same immutable target for every message. */
  readonly #resolved = { rpc: new WeakMap<Target, Route>(), notify: new WeakMap<Target, Route>() };

  constructor(init: AddresserInit) {
    this.options = init.options;
    this.#init = init;
    this.#product = productOf(init.product);
    const { addressingMode } = init.options;
    this.mode = addressingMode === "dynamic" ? this.#product.addressing : addressingMode;
  }

  /** The route of a message for this target: to all servers, to one server, or to any one of them. */
  resolve(target: Target, service: ServiceKind): Route {
    const cached = this.#resolved[service].get(target);
    if (cached !== undefined) return cached;
    const route = this.#route(target, service, target.fanout ? "multicast" : target.server ? "unicast" : "anycast");
    this.#resolved[service].set(target, route);
    return route;
  }

  /** The three routes of an RPC server: its own address, the fanout address and the shared address. */
  serverRoutes(target: Target): readonly Route[] {
    return (["unicast", "multicast", "anycast"] as const).map((delivery) => this.#route(target, "rpc", delivery));
  }

  /** The route of a notification listener: the address that a notifier sends to. Only the topic of the target matters. */
  listenerRoute(target: Target): Route {
    return this.resolve(new Target({ topic: target.topic }), "notify");
  }

  #route(target: Target, service: ServiceKind, delivery: AddressKind): Route {
    const parts = this.mode === "legacy" ? this.#legacy(target, delivery) : this.#routable(target, service, delivery);
    const multicast = delivery === "multicast";
    const { capabilities, multicastBySender } = this.#product;
    return {
      address: parts.filter((part) => part !== undefined && part !== "").join(this.mode === "legacy" ? "." : "/"),
      capabilities: capabilities[multicast ? "multicast" : "unicast"],
      bySender: multicast ? multicastBySender : undefined,
    };
  }

  /** `prefix[.vhost].exchange.topic[.server|.all]`, the same for RPC and notifications. */
  #legacy(target: Target, delivery: AddressKind): (string | undefined)[] {
    const { options, controlExchange } = this.#init;
    const middle = [this.#virtualHost(), target.exchange || controlExchange, target.topic];
    switch (delivery) {
      case "multicast":
        return [options.broadcastPrefix, ...middle, "all"];
      case "unicast":
        return [options.serverRequestPrefix, ...middle, target.server];
      case "anycast":
        return [options.groupRequestPrefix, ...middle];
      default:
        return delivery satisfies never;
    }
  }

  /** `prefix/delivery[/vhost]/exchange/topic[/server]`. */
  #routable(target: Target, service: ServiceKind, delivery: AddressKind): (string | undefined)[] {
    const { options, controlExchange } = this.#init;
    const prefix = service === "rpc" ? options.rpcAddressPrefix : options.notifyAddressPrefix;
    const exchange = service === "rpc" ? options.defaultRpcExchange : options.defaultNotificationExchange;
    return [
      `${prefix}/${options[`${delivery}Address`]}`,
      this.#virtualHost(),
      target.exchange || exchange || controlExchange || "openstack",
      target.topic,
      delivery === "unicast" ? target.server : undefined,
    ];
  }

  #virtualHost(): string | undefined {
    return this.#init.options.pseudoVhost ? this.#init.virtualHost : undefined;
  }
}
