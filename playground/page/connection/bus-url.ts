import { TransportURL } from "oslo-messaging";

export interface Login {
  user: string | undefined;
  password: string | undefined;
}

/**
 * The URL as the library takes it, with who connects. A plain `ws` or `wss` URL is taken too: its path is the one of the
 * WebSocket, and no virtual host.
 *
 * @throws InvalidTransportURL, with passwords masked.
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

/** The same place without anybody's name and password, for people to read. */
export function withoutLogin(url: TransportURL): TransportURL {
  const { scheme, virtualHost, query } = url;
  return new TransportURL({
    scheme,
    hosts: url.hosts.map(({ hostname, port }) => ({ hostname, port })),
    virtualHost,
    query,
  });
}

/** What a text that people typed has of these, to be put where it belongs. Undefined when it has nothing of them. */
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
