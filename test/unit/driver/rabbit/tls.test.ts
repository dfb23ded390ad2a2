import { expect, test } from "vitest";
import type { TLSOptions } from "@/src/core/byte-stream.js";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { parseRabbitOptions } from "@/src/driver/rabbit/options.js";
import { rabbitTls } from "@/src/driver/rabbit/tls.js";

const CA = "-----BEGIN CERTIFICATE-----\nca";
const OTHER = "-----BEGIN CERTIFICATE-----\nother";

function tlsOf(url: string, code?: TLSOptions): TLSOptions | undefined {
  const { scheme, query } = TransportURL.parse(url);
  const readFile = (path: string): string => {
    if (path === "ca.pem") return CA;
    throw new Error(`ENOENT: ${path}`);
  };
  return rabbitTls({ scheme, texts: parseRabbitOptions(query), code, readFile, supportedTlsOptions: undefined });
}

test.each<[string, TLSOptions | undefined, TLSOptions | undefined]>([
  ["rabbit://h/", undefined, undefined],
  ["rabbit://h/?ssl=1", undefined, {}],
  ["rabbit://h/?rabbit_use_ssl=1", undefined, {}],
  ["rabbit://h/?ssl=0", undefined, undefined],
  ["rabbit://h/?ssl_ca_file=never-read", undefined, undefined],
  ["rabbit://h/?ssl=0&ssl_ca_file=never-read", { ca: OTHER }, undefined],
  ["rabbit://h/?ssl=1&ssl_ca_file=ca.pem", undefined, { ca: CA }],
  ["rabbit://h/", {}, {}],
  ["rabbit://h/?ssl_ca_file=ca.pem", { ca: OTHER }, { ca: CA }],
  ["rabbit+ws://h/", undefined, undefined],
  ["rabbit+ws://h/?ssl=yes", undefined, {}],
  ["rabbit+wss://h/", undefined, {}],
  ["rabbit+wss://h/?ssl_ca_file=ca.pem", undefined, { ca: CA }],
])("the TLS options of %s with tls: %j in code are %j", (url, code, tls) => {
  expect(tlsOf(url, code)).toEqual(tls);
});

test.each([
  ["rabbit+wss://h/?ssl=0", "ssl: false contradicts rabbit+wss://, which requires TLS"],
  ["rabbit://h/?ssl=1&ssl_ca_file=no.pem", "ssl_ca_file: no.pem cannot be read: ENOENT: no.pem"],
  ["rabbit://h/?ssl=1&ssl_cert_file=ca.pem", "ssl_cert_file: requires its private key"],
])("%s throws a ConfigurationError", (url, message) => {
  expect(() => tlsOf(url)).toThrow(ConfigurationError);
  expect(() => tlsOf(url)).toThrow(message);
});

test("verifyVirtualHost is refused: a virtual host of RabbitMQ is no host name", () => {
  expect(() => tlsOf("rabbit://h/v", { verifyVirtualHost: true })).toThrow(
    new ConfigurationError("tls.verifyVirtualHost", "only supported by amqp://"),
  );
  expect(tlsOf("rabbit://h/v", { verifyVirtualHost: false })).toEqual({ verifyVirtualHost: false });
});
