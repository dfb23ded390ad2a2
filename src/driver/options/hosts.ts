import { authority } from "../../core/authority.js";
import type { Address, TLSOptions } from "../../core/byte-stream.js";
import type { Credentials } from "../../core/sasl/sasl.js";
import { withRealm } from "./credentials.js";
import type { ResolvedOptions } from "./options.js";
import { TransportHost, type TransportURL } from "./transport-url.js";

/** One host of a transport URL, with everything needed to connect to it. */
export interface Host {
  /** `name:port`, for display. */
  readonly name: string;
  readonly address: Address;
  /** The host as the URL has it, with defaults for what the URL omits. */
  readonly given: TransportHost;
  /** Credentials from the URL. */
  readonly credentials: Credentials | undefined;
}

/** Default ports by URL scheme. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ["amqp", 5672],
  ["amqps", 5671],
  ["amqp+ws", 80],
  ["amqp+wss", 443],
]);

/** Settings shared by all hosts of a transport. */
export interface HostSettings {
  /** TLS options. Undefined disables TLS. */
  tls?: TLSOptions | undefined;
  /** HTTP path of WebSockets. */
  path?: string | undefined;
}

/** The hosts of a URL, in its order. A URL without hosts means localhost. */
export function hostsOf(
  { scheme, hosts, virtualHost }: TransportURL,
  { saslDefaultRealm }: Pick<ResolvedOptions, "saslDefaultRealm">,
  { tls, path }: HostSettings = {},
): [Host, ...Host[]] {
  const [first = {}, ...others] = hosts;
  // As in oslo, `amqp` with TLS keeps port 5672. `amqp+ws` with TLS is the same as `amqp+wss`.
  const defaultPort = PORTS.get(scheme === "amqp+ws" && tls !== undefined ? "amqp+wss" : scheme) ?? 5672;
  const serverName = tls?.verifyVirtualHost ? virtualHost || undefined : undefined;
  const make = (host: Partial<TransportHost>): Host => {
    const { hostname = "localhost", port = defaultPort, username, password } = host;
    return {
      name: authority({ hostname, port }),
      address: { scheme, hostname, port, path, tls, serverName },
      given: new TransportHost({ hostname, port, username, password }),
      credentials: username ? withRealm({ username, password: password ?? "" }, saslDefaultRealm) : undefined,
    };
  };
  return [make(first), ...others.map(make)];
}

/** Whether the host is this machine: traffic to it does not cross a network. */
export function isLoopback({ address: { hostname } }: { readonly address: Pick<Address, "hostname"> }): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "::1" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}
