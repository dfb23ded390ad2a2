import { authority } from "../../core/authority.js";
import type { Address, TLSOptions } from "../../core/byte-stream.js";
import type { Credentials } from "../../core/sasl/sasl.js";
import { withRealm } from "./credentials.js";
import type { ResolvedOptions } from "./options.js";
import { TransportHost, type TransportURL } from "./transport-url.js";

/** One host of a transport URL, as it is connected to. */
export interface Host {
  /** `name:port`, for people. */
  readonly name: string;
  readonly address: Address;
  /** As the URL has it, with what it leaves out. */
  readonly given: TransportHost;
  /** The URL's. */
  readonly credentials: Credentials | undefined;
}

/** Where a host listens whose URL names no port. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ["amqp", 5672],
  ["amqps", 5671],
  ["amqp+ws", 80],
  ["amqp+wss", 443],
]);

/** What every host of a transport has in common. */
export interface HostSettings {
  /** Undefined: no TLS. */
  tls?: TLSOptions | undefined;
  /** The HTTP path of WebSockets. */
  path?: string | undefined;
}

/** The hosts of a URL, in its order; without any, this machine. */
export function hostsOf(
  { scheme, hosts, virtualHost }: TransportURL,
  { saslDefaultRealm }: ResolvedOptions,
  { tls, path }: HostSettings = {},
): [Host, ...Host[]] {
  const [first = {}, ...others] = hosts;
  // As in oslo amqp keeps its port with TLS too; a WebSocket with TLS is amqp+wss in all but the name.
  const usualPort = PORTS.get(scheme === "amqp+ws" && tls !== undefined ? "amqp+wss" : scheme) ?? 5672;
  const serverName = tls?.verifyVirtualHost ? virtualHost || undefined : undefined;
  const make = (host: Partial<TransportHost>): Host => {
    const { hostname = "localhost", port = usualPort, username, password } = host;
    return {
      name: authority({ hostname, port }),
      address: { scheme, hostname, port, path, tls, serverName },
      given: new TransportHost({ hostname, port, username, password }),
      credentials: username ? withRealm({ username, password: password ?? "" }, saslDefaultRealm) : undefined,
    };
  };
  return [make(first), ...others.map(make)];
}

/** A host that no packet leaves this machine for. */
export function isLoopback({ address: { hostname } }: Host): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "::1" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}
