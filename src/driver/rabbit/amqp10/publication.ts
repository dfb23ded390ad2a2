import { encodeMessage, type Message } from "../../../core/messages/message.js";
import { APPLICATION_PROPERTIES, DATA } from "../../../core/types/descriptors.js";
import { Writer } from "../../../core/types/writer.js";
import { GZIP } from "../compression.js";
import type { Publishing } from "../publishing.js";
import type { Route } from "../topology.js";
import { JSON_TYPE } from "../wire.js";
import { routeAddress } from "./addresses.js";

/** Longest ttl, in milliseconds: a uint. */
const MAX_TTL_MS = 0xffff_ffff;

/** Addresses of the routes in use. Those of replies are made anew for each one. */
const addresses = new WeakMap<Route, string>();

/**
 * The message as RabbitMQ translates it into the one that Python's driver sends by AMQP 0-9-1: `durable` is the delivery mode 2,
 * `ttl` the expiration, and an application property a header. `to` is not translated.
 */
export function publicationOf({ route, message }: Publishing): Message | Uint8Array {
  const { body, expirationMs, compression } = message;
  const sections: Message = {
    durable: true,
    priority: 0,
    ttl: expirationMs === undefined ? undefined : Math.trunc(Math.min(expirationMs, MAX_TTL_MS)),
    to: addressOf(route),
    contentType: JSON_TYPE,
    contentEncoding: "utf-8",
  };
  if (compression !== undefined) return withCompression(sections, body);
  sections.body = { type: "data", bytes: body };
  return sections;
}

function addressOf(route: Route): string {
  let address = addresses.get(route);
  if (address === undefined) {
    address = routeAddress(route.exchange, route.routingKey);
    addresses.set(route, address);
  }
  return address;
}

function withCompression(sections: Message, body: Uint8Array): Uint8Array {
  const writer = new Writer(body.length + 1_024);
  encodeMessage(writer, sections);
  writer.descriptor(APPLICATION_PROPERTIES);
  const mark = writer.beginList();
  writer.string("compression");
  writer.string(GZIP);
  writer.endMap(mark, 2);
  writer.descriptor(DATA);
  writer.binary(body);
  return writer.take();
}
