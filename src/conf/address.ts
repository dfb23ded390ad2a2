import { toError } from "../core/errors.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { type TransportHostInit, TransportURL } from "../driver/options/transport-url.js";
import { driverGroupFor, isTlsOption } from "./driver-groups.js";

/** The address of a transport. */
export interface Address {
  readonly text: string;
  readonly url: TransportURL;
  /** Name of the caller's option whose scheme decides about TLS. Undefined: the TLS options of the file apply. */
  readonly tlsBy?: string;
}

/**
 * Parses the text of an address.
 *
 * @param key where the text is from.
 * @throws ConfigurationError naming `key`, and the URL with its passwords masked.
 */
export function addressOf(key: string, text: string): Address {
  try {
    return { text, url: TransportURL.parse(text) };
  } catch (error) {
    throw new ConfigurationError(key, toError(error).message);
  }
}

/**
 * The address of the caller's option `key` in the place of the file's: user, password, virtual host and query options that it
 * omits are the file's, unless the file's URL is of the other driver. The file's TLS options are for its own connection: they
 * do not apply to a WebSocket in the place of TCP.
 *
 * @throws as addressOf.
 */
export function replaced(key: string, text: string, file: Address | undefined): Address {
  const { url } = addressOf(key, text);
  const replacesTcp = isWebSocket(url) && !(file !== undefined && isWebSocket(file.url));
  const merged = file === undefined ? url : merge(url, file.url, replacesTcp);
  return { text: merged.format({ secrets: true }), url: merged, ...(replacesTcp ? { tlsBy: key } : {}) };
}

function merge(url: TransportURL, file: TransportURL, replacesTcp: boolean): TransportURL {
  const group = driverGroupFor(url);
  if (driverGroupFor(file) !== group) return url;
  const [login] = file.hosts;
  const hosts: readonly TransportHostInit[] = url.hosts.length === 0 ? [{}] : url.hosts;
  const options = Object.entries(file.query).filter(([name]) => !(replacesTcp && isTlsOption(group, name)));
  return new TransportURL({
    scheme: url.scheme,
    hosts: hosts.map((host) =>
      host.username === undefined && host.password === undefined
        ? { hostname: host.hostname, port: host.port, username: login?.username, password: login?.password }
        : host,
    ),
    virtualHost: url.virtualHost || file.virtualHost,
    query: { ...Object.fromEntries(options), ...url.query },
  });
}

function isWebSocket({ scheme }: TransportURL): boolean {
  return /\+wss?$/.test(scheme);
}
