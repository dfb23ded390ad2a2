import { InvalidTransportURL } from "../exceptions.js";
import { quote, unquote } from "./percent.js";

/** The parts of a {@link TransportHost}. */
export interface TransportHostInit {
  /** Absent: this machine. */
  hostname?: string | undefined;
  /** Absent: the scheme's own. */
  port?: number | undefined;
  /** Who connects. Absent: somebody without a name. */
  username?: string | undefined;
  /** Not percent-encoded. */
  password?: string | undefined;
}

/** One host of a transport URL. The password can be read, but is not shown by JSON, `console.log` or a copy. */
export class TransportHost {
  /** Absent: this machine. IPv6 addresses without brackets. */
  readonly hostname: string | undefined;
  /** Absent: the scheme's own. */
  readonly port: number | undefined;
  /** Who connects, not percent-encoded. */
  readonly username: string | undefined;
  readonly #password: string | undefined;

  constructor(init: TransportHostInit = {}) {
    this.hostname = init.hostname;
    this.port = init.port;
    this.username = init.username;
    this.#password = init.password;
  }

  /** In clear, not percent-encoded. */
  get password(): string | undefined {
    return this.#password;
  }

  /** The inspector can be asked to read getters. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `TransportHost <${formatHost(this, "***")}>`;
  }
}

/** The parts of a {@link TransportURL}. */
export interface TransportURLInit {
  /** In lower case: `amqp`. */
  scheme: string;
  /** In the order in which they are tried, from any of them on. Absent: this machine. */
  hosts?: readonly TransportHostInit[] | undefined;
  /** A part of the message bus that is kept from the others. */
  virtualHost?: string | undefined;
  /** Options of `[oslo_messaging_amqp]`, by oslo's names. */
  query?: Readonly<Record<string, string>> | undefined;
}

/** `scheme://[user:pass@]host:port[,[userN:passN@]hostN:portN]/virtual_host?query` (oslo_messaging/transport.py). Immutable. */
export class TransportURL {
  /** In lower case. */
  readonly scheme: string;
  /** Empty: this machine. */
  readonly hosts: readonly TransportHost[];
  /** Neither undefined nor "" names a virtual host. */
  readonly virtualHost: string | undefined;
  /** Options of the driver, by oslo's names. */
  readonly query: Readonly<Record<string, string>>;

  constructor(init: TransportURLInit) {
    this.scheme = init.scheme;
    this.hosts = Object.freeze((init.hosts ?? []).map((host) => new TransportHost(host)));
    this.virtualHost = init.virtualHost;
    this.query = Object.freeze({ ...init.query });
  }

  /**
   * Reads a URL as oslo does. What oslo would silently leave out, because it stands behind a raw `#` or because `//` is
   * missing, is an error here.
   *
   * @param defaultScheme taken when the URL has none: `//host/`, or an empty one.
   * @throws InvalidTransportURL naming what is wrong, with passwords masked.
   */
  static parse(url: string, defaultScheme?: string): TransportURL {
    if (typeof url !== "string") throw new InvalidTransportURL(typeof url, "Wrong URL type");
    const fail = (reason: string): never => {
      throw new InvalidTransportURL(masked(url), reason);
    };
    const [, written, rest = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(url) ?? [];
    const scheme = written ?? defaultScheme ?? fail("No scheme specified");
    if (/\p{Cc}/u.test(rest)) fail("A control character must be percent-encoded");
    if (rest.includes("#")) fail('"#" has no meaning here, and in a name or password it must be written %23');
    const [, authority = "", path = "", query = ""] = /^(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/s.exec(rest) ?? [];
    if (path !== "" && !path.startsWith("/")) fail('"//" must stand between the scheme and the hosts');
    return new TransportURL({
      scheme: scheme.toLowerCase(),
      hosts: authority
        .split(",")
        .filter((item) => item !== "")
        .map((item) => parseHost(item, fail)),
      virtualHost: path === "" ? undefined : unquote(path.slice(1)),
      query: parseQuery(query),
    });
  }

  /** For people: passwords, and what the query holds of them, are `***`. */
  toString(): string {
    return this.#format("***");
  }

  /** As `toString`. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `TransportURL <${this}>`;
  }

  /** As it could be parsed again: with the passwords. */
  format({ secrets }: { secrets: true }): string {
    return this.#format(secrets ? undefined : "***");
  }

  #format(mask: string | undefined): string {
    const hosts = this.hosts.map((host) => formatHost(host, mask));
    const query = Object.entries(this.query).map(([key, value]) => {
      return `${quotePlus(key)}=${mask !== undefined && SECRET.test(key) ? mask : quotePlus(value)}`;
    });
    const path = quote(this.virtualHost ?? "", "/");
    return `${this.scheme}://${hosts.join(",")}/${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  }
}

/** Options that hold a secret: ssl_key_password today. */
const SECRET = /password|secret|token/i;

function parseHost(item: string, fail: (reason: string) => never): TransportHostInit {
  const at = item.lastIndexOf("@");
  const address = parseAddress(item.slice(at + 1), fail);
  if (at === -1) return address;
  const [username = "", ...password] = item.slice(0, at).split(":");
  return {
    ...address,
    username: unquote(username),
    password: password.length === 0 ? undefined : unquote(password.join(":")),
  };
}

/** As oslo_utils' parse_host_port: an IPv6 address has a port only when it is in brackets. */
function parseAddress(text: string, fail: (reason: string) => never): TransportHostInit {
  const parts = text.split(":");
  const plain = parts.length === 2 ? parts : [text];
  const [hostname, port] = /^\[([^[\]]*)\](?::(.*))?$/s.exec(text)?.slice(1) ?? plain;
  if (hostname === undefined || /[[\]]/.test(hostname)) fail("The brackets around an IPv6 address are not in order");
  return {
    hostname: hostname === "" ? undefined : hostname,
    port: port === undefined ? undefined : parsePort(port, fail),
  };
}

function parsePort(text: string, fail: (reason: string) => never): number {
  if (!/^\d+$/.test(text))
    fail('A port must be a number, and "/", "?", "#" and "," in a password must be percent-encoded');
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : fail("A port must be from 1 to 65535");
}

/** As Python's parse_qs: blank values are dropped, those of a repeated key joined. */
function parseQuery(text: string): Record<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split("&")) {
    const [key = "", value = ""] = /^([^=]*)=(.+)$/s.exec(part)?.slice(1).map(unquotePlus) ?? [];
    if (value === "") continue;
    const earlier = query.get(key);
    query.set(key, earlier === undefined ? value : `${earlier},${value}`);
  }
  return Object.fromEntries(query);
}

function formatHost({ hostname = "", port, username, password }: TransportHost, mask: string | undefined): string {
  const secret = password === undefined ? "" : `:${mask ?? quote(password)}`;
  const user = username === undefined && password === undefined ? "" : `${quote(username ?? "")}${secret}@`;
  return `${user}${hostname.includes(":") ? `[${hostname}]` : hostname}${port === undefined ? "" : `:${port}`}`;
}

function quotePlus(text: string): string {
  return quote(text, " ").replaceAll(" ", "+");
}

function unquotePlus(text: string): string {
  return unquote(text.replaceAll("+", " "));
}

/**
 * A URL that could not be read, for an error's text. Where its passwords end is not known, so everything is hidden that may
 * be part of one: from the first ":" to the last "@", and what stands in the place of a port and is no number.
 */
function masked(url: string): string {
  const [start = ""] = /^([A-Za-z][A-Za-z0-9+.-]*:)?\/\//.exec(url) ?? [];
  const rest = url.slice(start.length);
  const at = Math.max(0, rest.lastIndexOf("@"));
  const users = rest.slice(0, at).replace(/:.*/s, ":***");
  const hosts = rest.slice(at).replace(/^(@?[^[/?]*?):(?!\d+(?:[,/?]|$)).*/s, "$1:***");
  return start + users + hosts.replace(/([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&]*/gi, "$1***");
}
