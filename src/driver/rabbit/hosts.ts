import { type Host, type HostSettings, hostsOf } from "../options/hosts.js";
import { type TransportHost, TransportURL } from "../options/transport-url.js";
import { RABBIT_SCHEMES } from "./schemes.js";

/** Default ports of WebSockets. `rabbit` has port 5672 with and without TLS, as in oslo. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ["rabbit+ws", 80],
  ["rabbit+wss", 443],
]);

/** User of a host with neither user nor password. RabbitMQ accepts it from its own machine only, unless configured otherwise. */
const GUEST = "guest";

/** The hosts of a URL, in its order. A URL without hosts means localhost. */
export function rabbitHosts(url: TransportURL, settings: HostSettings = {}): [Host, ...Host[]] {
  const { scheme } = url;
  const isSecure = scheme === "rabbit+ws" && settings.tls !== undefined;
  const defaultPort = PORTS.get(isSecure ? "rabbit+wss" : scheme) ?? 5672;
  const given: readonly Partial<TransportHost>[] = url.hosts.length === 0 ? [{}] : url.hosts;
  const hosts = given.map(({ hostname, port = defaultPort, username, password }) => {
    const user = username || password ? { username, password } : { username: GUEST, password: GUEST };
    return { hostname, port, ...user };
  });
  const dialled = RABBIT_SCHEMES.get(scheme) ?? scheme;
  return hostsOf(new TransportURL({ scheme: dialled, hosts }), { saslDefaultRealm: "" }, settings);
}

/** The virtual host of a URL. Its default is `/`: `rabbit://h`, `rabbit://h/` and `rabbit://h//` are the same. */
export function rabbitVirtualHost({ virtualHost }: TransportURL): string {
  return virtualHost || "/";
}
