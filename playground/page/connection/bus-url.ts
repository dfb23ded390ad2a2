import { TransportURL } from "oslo-messaging";

export interface Login {
  user: string | undefined;
  password: string | undefined;
}

/**
 * Returns the transport URL for a typed URL, with the given credentials. Plain `ws` and `wss` URLs are accepted too; their
 * path becomes the path of the WebSocket instead of the virtual host.
 *
 * @throws InvalidTransportURL when the URL is invalid; its message masks passwords.
 */
export function busUrl(text: string, { user, password }: Login): TransportURL {
  const url = TransportURL.parse(text);
  const { hosts, query } = url;
  const plain = url.scheme === "ws" || url.scheme === "wss";
  return new TransportURL({
    scheme: plain ? `amqp+${url.scheme}` : url.scheme,
    hosts: hosts.map(({ hostname, port, username, password: inUrl }) => ({
      hostname,
      port,
      username: user ?? username,
      password: user === undefined ? inUrl : password,
    })),
    virtualHost: plain ? undefined : url.virtualHost,
    query: plain && url.virtualHost ? { ws_path: `/${url.virtualHost}`, ...query } : query,
  });
}

/** Returns the URL without users and passwords, for display. */
export function withoutLogin(url: TransportURL): TransportURL {
  const { scheme, virtualHost, query } = url;
  return new TransportURL({
    scheme,
    hosts: url.hosts.map(({ hostname, port }) => ({ hostname, port })),
    virtualHost,
    query,
  });
}

/** Splits a typed URL into its credentials and the rest. Returns undefined when it has no user or is not a URL. */
export function loginIn(text: string): (Login & { rest: string }) | undefined {
  try {
    const url = TransportURL.parse(text);
    const [host] = url.hosts;
    if (host?.username === undefined) return undefined;
    return { user: host.username, password: host.password, rest: withoutLogin(url).toString() };
  } catch {
    return undefined;
  }
}
