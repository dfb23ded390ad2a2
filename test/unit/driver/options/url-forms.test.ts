import { describe, expect, it } from "vitest";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { vectors } from "@/test/data/url-forms.json";

/** Forms that Python reads and this library refuses, by the reason that the error gives. */
const REFUSED_HERE: Readonly<Record<string, readonly string[]>> = {
  // Python takes any number that int() reads, and fails when it connects.
  "A port must be from 1 to 65535": ["amqp://h:0/", "amqp://h:65536/"],
  "A port must be a number": [
    "amqp://h:-1/",
    "amqp://h:+5/",
    "amqp://h:1_0/",
    "amqp://h:٥/",
    "amqp://h: 5672/",
    "amqp://h:5672 /",
  ],
  "A host name cannot contain a space": ["amqp:// h/", "amqp://h /", "amqp://a b/", "amqp://h1, h2/"],
  // Python ignores a part of these URLs.
  '"//" is missing between the scheme and the hosts': ["amqp:h", "amqp:h/v", "h:5672", "amqp:\\\\h"],
  '"#" must be percent-encoded as %23': ["amqp://h/v#f", "amqp://h/v?a=b#c"],
  "A control character must be percent-encoded": ["amqp://h\n/v", "amqp://h/v\t"],
  "No scheme specified": [" amqp://h/"],
};

/** Forms that this library reads and the recorded release of Python refuses. */
const READ_HERE: Readonly<Record<string, readonly string[]>> = {
  "an IPv6 address without brackets is a host without a port, as in oslo.messaging since 2024": [
    "amqp://::/",
    "amqp://::1/",
    "amqp://::1:5672/",
    "amqp://fe80::1/",
    "amqp://fe80::1%eth0/",
    "amqp://1:2:3:4:5:6:7:8/",
    "amqp://::ffff:10.0.0.1/",
    "amqp://u:p@::1/",
  ],
  "a bracket may stand in a password": ["amqp://u:[@h/"],
};

describe("forms of URLs, with the results of the real oslo.messaging", () => {
  const refusedHere = new Set(Object.values(REFUSED_HERE).flat());
  const readHere = new Set(Object.values(READ_HERE).flat());

  it("every form is read as in Python, or refused as in Python, apart from the named differences", () => {
    const different = vectors.filter((vector) => JSON.stringify(ours(vector.url)) !== JSON.stringify(pythons(vector)));
    expect(different.map(({ url }) => url).sort()).toEqual([...refusedHere, ...readHere].sort());
    expect(vectors.length).toBeGreaterThan(150);
  });

  it.each(Object.entries(REFUSED_HERE))("difference: %s", (reason, urls) => {
    for (const url of urls) expect(() => TransportURL.parse(url)).toThrow(reason);
  });

  it.each(Object.entries(READ_HERE))("difference: %s", (_reason, urls) => {
    for (const url of urls) {
      const [, password, hostname] = /^amqp:\/\/(?:u:(.*)@)?(.*)\/$/.exec(url) ?? [];
      expect(TransportURL.parse(url).hosts).toMatchObject([{ hostname, port: undefined, password }]);
    }
  });

  it.each([
    ["amqp://h:5672:1/", "A port must be a number, and an IPv6 address with a port must be in brackets: amqp://h:***"],
    ["amqp://h:x/", "A port must be a number: amqp://h:***"],
    [
      "amqp://u:p/q@h/",
      'A port must be a number, and "/", "?", "#" and "," in a password must be percent-encoded: amqp://u:***@h/',
    ],
  ])("the error for %s speaks of passwords only where the URL may hold one", (url, message) => {
    expect(() => TransportURL.parse(url)).toThrow(expect.objectContaining({ message }));
  });
});

type Vector = (typeof vectors)[number];

function pythons({ raises, scheme, hosts, virtualHost, query }: Vector): unknown {
  if (raises !== undefined) return "refused";
  // Python distinguishes an empty host name from none; both mean localhost.
  return { scheme, hosts: hosts?.map(([hostname, ...others]) => [hostname || null, ...others]), virtualHost, query };
}

function ours(text: string): unknown {
  try {
    const { scheme, hosts, virtualHost = null, query } = TransportURL.parse(text);
    const parts = hosts.map(({ hostname = null, port = null, username = null, password = null }) => [
      hostname,
      port,
      username,
      password,
    ]);
    return { scheme, hosts: parts, virtualHost, query };
  } catch {
    return "refused";
  }
}
