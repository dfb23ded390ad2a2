import { expect, test } from "vitest";
import type { TLSOptions } from "@/src/core/byte-stream.js";
import { hostsOf, isLoopback } from "@/src/driver/options/hosts.js";
import { resolveOptions } from "@/src/driver/options/options.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";

function hosts(url: string, path?: string) {
  const parsed = TransportURL.parse(url);
  return hostsOf(parsed, resolveOptions({ query: parsed.query }), { path });
}

test.each([
  ["amqp://", "localhost:5672"],
  ["amqp:///", "localhost:5672"],
  ["amqp://h", "h:5672"],
  ["amqps://h", "h:5671"],
  ["amqp+ws://h", "h:80"],
  ["amqp+wss://h", "h:443"],
  ["amqp+memory://h", "h:5672"],
  ["amqps://h:1", "h:1"],
  ["amqp://[::1]:7", "[::1]:7"],
])("%s connects to %s", (url, name) => {
  expect(hosts(url).map((host) => host.name)).toEqual([name]);
});

test("hosts keep their order and their own credentials, which names and addresses do not contain", () => {
  const made = hosts("amqp+ws://u:secret@a,b:2,v@c/vhost", "/amqp");
  expect(made.map(({ credentials }) => credentials)).toEqual([
    { username: "u", password: "secret" },
    undefined,
    { username: "v", password: "" },
  ]);
  expect(made.map(({ name }) => name)).toEqual(["a:80", "b:2", "c:80"]);
  expect(made.map(({ given }) => [given.hostname, given.port, given.username, given.password])).toEqual([
    ["a", 80, "u", "secret"],
    ["b", 2, undefined, undefined],
    ["c", 80, "v", undefined],
  ]);
  expect(made[0].address).toEqual({ scheme: "amqp+ws", hostname: "a", port: 80, path: "/amqp" });
});

test("the default realm is appended to user names without a realm", {
  tags: ["auth:default-realm", "auth:own-realm"],
}, () => {
  const made = hosts("amqp://u:p@a,u@other:p@b/?sasl_default_realm=realm");
  expect(made.map(({ credentials }) => credentials)).toEqual([
    { username: "u@realm", password: "p" },
    { username: "u@other", password: "p" },
  ]);
});

test("every address has the TLS options and the name to verify", () => {
  const url = TransportURL.parse("amqp+ws://a,b:2/vhost");
  const made = (tls?: TLSOptions) => hostsOf(url, resolveOptions({}), { tls }).map(({ address }) => address);
  const tls = { passphrase: "s3cr3t", verifyVirtualHost: true };
  expect(made({})).toMatchObject([{ port: 443, tls: {}, serverName: undefined }, { port: 2 }]);
  expect(made(tls)).toMatchObject([
    { hostname: "a", tls, serverName: "vhost" },
    { hostname: "b", tls, serverName: "vhost" },
  ]);
  expect(made({ verifyVirtualHost: false })[0]).toMatchObject({ serverName: undefined });
  expect(made()[0]).toMatchObject({ port: 80, tls: undefined, serverName: undefined });
});

test("without a virtual host the host's name is verified, and amqp with TLS keeps port 5672", () => {
  for (const text of ["amqp://h", "amqp://h/"]) {
    const [{ address }] = hostsOf(TransportURL.parse(text), resolveOptions({}), { tls: { verifyVirtualHost: true } });
    expect(address).toMatchObject({ port: 5672, serverName: undefined });
  }
});

test.each([
  ["localhost", true],
  ["broker.localhost", true],
  ["127.0.0.1", true],
  ["[::1]", true],
  ["127.example.org", false],
  ["10.0.0.1", false],
])("whether %s is the loopback host: %s", (name, loopback) => {
  expect(isLoopback(hosts(`amqp://${name}`)[0])).toBe(loopback);
});
