import { isRecord, kindOf } from "../../core/kinds.js";
import { wrongMembers } from "../../core/member-names.js";
import { isWellFormed } from "../../core/well-formed.js";
import { InvalidTransportURL } from "../exceptions.js";
import { quote, unquote } from "./percent.js";

/** The parts of a {@link TransportHost}. */
export interface TransportHostInit {
  /** Name or address. localhost when omitted. */
  hostname?: string | undefined;
  /** Port. The scheme's default when omitted. */
  port?: number | undefined;
  /** User name, not percent-encoded. When user and password are omitted: anonymous over amqp://, `guest` over rabbit://. */
  username?: string | undefined;
  /** Password, not percent-encoded. */
  password?: string | undefined;
}

/** One host of a transport URL. The password is readable, but JSON, `console.log` and copies omit it. */
export class TransportHost {
  /** Name or address, IPv6 without brackets. Undefined: localhost. */
  readonly hostname: string | undefined;
  /** Port. Undefined: the scheme's default. */
  readonly port: number | undefined;
  /** User name, not percent-encoded. */
  readonly username: string | undefined;
  readonly #password: string | undefined;

  /** @throws TypeError for an unknown part. */
  constructor(init: TransportHostInit = {}) {
    checkParts("a host", init, ["hostname", "port", "username", "password"]);
    this.hostname = init.hostname;
    this.port = init.port;
    this.username = init.username;
    this.#password = init.password;
  }

  /** The password in clear, not percent-encoded. */
  get password(): string | undefined {
    return this.#password;
  }

  /** Hides the password: the inspector may read getters. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `TransportHost <${formatHost(this, "***")}>`;
  }
}

/** The parts of a {@link TransportURL}. */
export interface TransportURLInit {
  /** The scheme, in lower case: `amqp`. */
  scheme: string;
  /** Hosts in the order in which they are tried, starting from a random one. localhost when omitted. */
  hosts?: readonly TransportHostInit[] | undefined;
  /** An isolated part of the message bus. */
  virtualHost?: string | undefined;
  /** Options of the driver, by oslo's names. */
  query?: Readonly<Record<string, string>> | undefined;
}

/** `scheme://[user:pass@]host:port[,[userN:passN@]hostN:portN]/virtual_host?query` (oslo_messaging/transport.py). Immutable. */
export class TransportURL {
  /** The scheme, in lower case. */
  readonly scheme: string;
  /** The hosts. Empty: localhost. */
  readonly hosts: readonly TransportHost[];
  /** The virtual host. Both undefined and "" mean none, and over rabbit:// the virtual host `/`. */
  readonly virtualHost: string | undefined;
  /** Options of the driver, by oslo's names. */
  readonly query: Readonly<Record<string, string>>;

  /**
   * @throws TypeError for an unknown part, and one of the wrong type.
   * @throws InvalidTransportURL when a part contains half a surrogate pair, which UTF-8 cannot encode.
   */
  constructor(init: TransportURLInit) {
    checkParts("a URL", init, ["scheme", "hosts", "virtualHost", "query"]);
    const { scheme, hosts = [], query = {} } = init;
    if (typeof scheme !== "string" || !Array.isArray(hosts) || !isRecord(query)) {
      throw new TypeError("a URL has the parts { scheme, hosts: [...], virtualHost, query: {...} }");
    }
    this.scheme = scheme;
    this.hosts = Object.freeze(hosts.map((host) => new TransportHost(host)));
    this.virtualHost = init.virtualHost;
    this.query = Object.freeze({ ...query });
    const names = this.hosts.flatMap(({ hostname, username, password }) =>
      Object.entries({ hostname, username, password }),
    );
    for (const [part, text = ""] of [
      ...names,
      ["virtualHost", this.virtualHost],
      ["query", Object.entries(this.query).join()],
    ]) {
      if (!isWellFormed(text)) throw new InvalidTransportURL(this.toString(), `${part} contains half a surrogate pair`);
    }
  }

  /**
   * Parses a URL as oslo does. Throws where oslo silently ignores a part of the URL: the part after a raw `#`, or hosts and
   * virtual host when `//` is missing.
   *
   * @param defaultScheme scheme of a URL without one: `//host/`, or the empty URL.
   * @throws InvalidTransportURL with the reason and the URL, its passwords masked.
   */
  static parse(url: string, defaultScheme?: string): TransportURL {
    if (typeof url !== "string") throw new InvalidTransportURL(typeof url, "Wrong URL type");
    const fail: Fail = (reason, hint = "") => {
      throw new InvalidTransportURL(masked(url), url.includes("@") ? `${reason}${hint}` : reason);
    };
    const [, written, rest = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(url) ?? [];
    const scheme = written ?? defaultScheme ?? fail("No scheme specified");
    if (/\p{Cc}/u.test(rest)) fail("A control character must be percent-encoded");
    if (rest.includes("#")) fail('"#" must be percent-encoded as %23');
    const [, authority = "", path = "", query = ""] = /^(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/s.exec(rest) ?? [];
    if (path !== "" && !path.startsWith("/")) fail('"//" is missing between the scheme and the hosts');
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

  /** The URL for display: passwords, also those in the query, are `***`. */
  toString(): string {
    return this.#format("***");
  }

  /** The same as `toString`. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `TransportURL <${this}>`;
  }

  /** The URL with its passwords, so that it can be parsed again. */
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

/**
 * Parses the text of a URL. Returns a TransportURL unchanged, also one of a second copy of this library.
 *
 * @throws InvalidTransportURL as {@link TransportURL.parse}, and for any other value.
 */
export function toTransportURL(url: string | TransportURL): TransportURL {
  if (typeof url === "string") return TransportURL.parse(url);
  if (isRecord(url) && Array.isArray(url.hosts) && isRecord(url.query)) return url;
  const accepted = 'The URL must be a string such as "amqp://host:5672/", the href of a URL object, or a TransportURL';
  throw new InvalidTransportURL(kindOf(url), accepted);
}

function checkParts(name: string, init: unknown, known: readonly string[]): void {
  const wrong = wrongMembers(init, known);
  if (wrong !== undefined) throw new TypeError(`${name} ${wrong}`);
}

/** Query keys that hold a secret; ssl_key_password is the only such option today. */
const SECRET = /password|secret|token/i;

/** Throws the error. `hint` is for a URL that may hold a password. */
type Fail = (reason: string, hint?: string) => never;

const ENCODE = ', and "/", "?", "#" and "," in a password must be percent-encoded';

function parseHost(item: string, fail: Fail): TransportHostInit {
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

/** Reads `h`, `h:1`, `[::1]`, `[::1]:1`, or an IPv6 address without brackets, which has no port. `h:` has the default port. */
function parseAddress(text: string, fail: Fail): TransportHostInit {
  const bracketed = /^\[([^[\]]*:[^[\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed === null && /[[\]]/.test(text)) fail("The brackets around an IPv6 address are unbalanced or misplaced");
  const plain = IPV6.test(text) ? ["", text] : /^([^:]*):?(.*)$/s.exec(text);
  const [, hostname = "", port = ""] = bracketed ?? plain ?? [];
  if (/\s/.test(hostname)) fail("A host name cannot contain a space");
  return { hostname: hostname || undefined, port: port === "" ? undefined : parsePort(port, fail) };
}

/** An IPv6 address without brackets, and perhaps a zone: 8 groups of digits, or fewer around `::`. */
const IPV6 = /^(?=.*::|(?:[^:]*:){6,7}[^:]*$)[\da-f:.]+(?:%[^:]*)?$/i;

function parsePort(text: string, fail: Fail): number {
  if (text.includes(":")) fail("A port must be a number, and an IPv6 address with a port must be in brackets", ENCODE);
  if (!/^\d+$/.test(text)) fail("A port must be a number", ENCODE);
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : fail("A port must be from 1 to 65535");
}

/** Like Python's parse_qs, but the values of a repeated key are joined by commas. Blank values are ignored. */
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
 * A malformed URL for an error's text. The ends of its passwords are unknown, so everything that may be part of one is
 * hidden: from the first ":" to the last "@", and a port that is not a number.
 */
function masked(url: string): string {
  const [start = ""] = /^([A-Za-z][A-Za-z0-9+.-]*:)?\/\//.exec(url) ?? [];
  const rest = url.slice(start.length);
  const at = Math.max(0, rest.lastIndexOf("@"));
  const users = rest.slice(0, at).replace(/:.*/s, ":***");
  const hosts = rest.slice(at).replace(/^(@?[^[/?]*?):(?!\d+(?:[,/?]|$)).*/s, "$1:***");
  return start + users + hosts.replace(/([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&]*/gi, "$1***");
}
