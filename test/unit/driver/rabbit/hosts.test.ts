import { expect, test } from "vitest";
import { isLoopback } from "@/src/driver/options/hosts.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { rabbitHosts, rabbitVirtualHost } from "@/src/driver/rabbit/hosts.js";

test.each([
  ["rabbit://", "localhost:5672"],
  ["rabbit:///", "localhost:5672"],
  ["rabbit://h", "h:5672"],
  ["kombu://h", "h:5672"],
  ["rabbit://h:1", "h:1"],
  ["rabbit://[::1]", "[::1]:5672"],
  ["rabbit+ws://h", "h:80"],
  ["rabbit+wss://h", "h:443"],
])("%s connects to %s", (url, name) => {
  expect(rabbitHosts(TransportURL.parse(url)).map((host) => host.name)).toEqual([name]);
});

test("TLS changes the port of a WebSocket, and not the one of TCP", () => {
  const port = (url: string) => rabbitHosts(TransportURL.parse(url), { tls: {} })[0].address.port;
  expect(port("rabbit://h")).toBe(5672);
  expect(port("rabbit+ws://h")).toBe(443);
});

test("a host with neither user nor password is guest's, whatever the other hosts have", () => {
  const hosts = rabbitHosts(TransportURL.parse("rabbit://a,u:p@b,:@c,v@d:2/vhost"), { path: "/ws" });
  expect(hosts.map(({ credentials }) => credentials)).toEqual([
    { username: "guest", password: "guest" },
    { username: "u", password: "p" },
    { username: "guest", password: "guest" },
    { username: "v", password: "" },
  ]);
  expect(hosts.map(({ name }) => name)).toEqual(["a:5672", "b:5672", "c:5672", "d:2"]);
  expect(hosts[1]?.address).toEqual({ scheme: "amqp", hostname: "b", port: 5672, path: "/ws" });
  expect(hosts[1]?.given).toMatchObject({ hostname: "b", port: 5672, username: "u", password: "p" });
  expect(hosts.some(isLoopback)).toBe(false);
});

test.each([
  ["rabbit://h", "/"],
  ["rabbit://h/", "/"],
  ["rabbit://h//", "/"],
  ["rabbit://h/%2F", "/"],
  ["rabbit://h/openstack", "openstack"],
  ["rabbit://h/a%2Fb", "a/b"],
  ["rabbit://h/%252F", "%2F"],
])("the virtual host of %s is %s", (url, virtualHost) => {
  expect(rabbitVirtualHost(TransportURL.parse(url))).toBe(virtualHost);
});
