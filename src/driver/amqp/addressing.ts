import { ConfigurationError } from "../exceptions.js";
import type { ResolvedOptions } from "../options/options.js";
import { Target } from "../target.js";
import { type Product, productOf } from "./products.js";

export type ServiceKind = "rpc" | "notify";

/** Where a link goes. */
export interface Route {
  readonly address: string;
  readonly capabilities: readonly string[];
}

type AddressKind = "unicast" | "multicast" | "anycast";

export interface AddresserInit {
  options: ResolvedOptions;
  /** The exchange of targets that have none: oslo's `control_exchange`. */
  controlExchange: string;
  virtualHost: string | undefined;
  /** What the peer's Open says it is. */
  product: string | undefined;
}

/**
 * Makes addresses from targets, for one connection: the peer decides how they look, unless `addressing_mode` does
 * (oslo_messaging/_drivers/amqp1_driver/addressing.py). As there, an empty string is no part of an address.
 *
 * @throws ConfigurationError when the peer needs addresses that cannot be made yet.
 */
export class Addresser {
  readonly mode: "legacy" | "routable";
  readonly options: ResolvedOptions;
  readonly #init: AddresserInit;
  readonly #product: Product;
  /** A client resolves the same target, which never changes, for every message. */
  readonly #resolved = { rpc: new WeakMap<Target, Route>(), notify: new WeakMap<Target, Route>() };

  constructor(init: AddresserInit) {
    this.options = init.options;
    this.#init = init;
    this.#product = productOf(init.product);
    this.mode = modeOf(init, this.#product);
  }

  /** Where a message for this target is sent: to all servers, to one, or to any one of them. */
  resolve(target: Target, service: ServiceKind): Route {
    const known = this.#resolved[service].get(target);
    if (known !== undefined) return known;
    const route = this.#route(target, service, target.fanout ? "multicast" : target.server ? "unicast" : "anycast");
    this.#resolved[service].set(target, route);
    return route;
  }

  /** The three addresses that an RPC server listens on: its own, everybody's, and the shared one. */
  serverRoutes(target: Target): readonly Route[] {
    return (["unicast", "multicast", "anycast"] as const).map((delivery) => this.#route(target, "rpc", delivery));
  }

  /** The one address that a notification listener listens on, which is where a notifier sends: only the topic counts. */
  listenerRoute(target: Target): Route {
    return this.resolve(new Target({ topic: target.topic }), "notify");
  }

  #route(target: Target, service: ServiceKind, delivery: AddressKind): Route {
    const parts = this.mode === "legacy" ? this.#legacy(target, delivery) : this.#routable(target, service, delivery);
    return {
      address: parts.filter((part) => part !== undefined && part !== "").join(this.mode === "legacy" ? "." : "/"),
      capabilities: this.#product.capabilities[delivery === "multicast" ? "multicast" : "unicast"],
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

function modeOf({ options, product: name }: AddresserInit, product: Product): "legacy" | "routable" {
  if (options.addressingMode !== "dynamic") return options.addressingMode;
  if (product.addressing !== "rabbitmq") return product.addressing;
  throw new ConfigurationError("addressing_mode", `${name} needs addresses of its own, which are not supported yet`);
}
