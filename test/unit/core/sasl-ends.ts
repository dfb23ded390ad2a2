import { expect } from "vitest";
import { SaslClient, type SaslClientOptions } from "@/src/core/sasl/client/sasl-client.js";
import { saslFrame } from "@/src/core/sasl/sasl.js";
import type { SaslEvents, SaslResult } from "@/src/core/sasl/sasl-exchange.js";
import { Admission, type AdmissionInit } from "@/src/core/sasl/server/authenticator.js";
import { SaslServer } from "@/src/core/sasl/server/sasl-server.js";

/** One end of an exchange and what it has sent; `result` is how it ended. */
export interface End {
  receive(bytes: Uint8Array): void;
  sent(): Uint8Array;
  result: unknown;
}

function endOf(make: (events: SaslEvents) => { receive(bytes: Uint8Array): void }): End {
  const sent: number[] = [];
  const end: End = { receive: (bytes) => party.receive(bytes), sent: () => Uint8Array.from(sent), result: undefined };
  const over = (result: unknown): void => {
    expect(end.result).toBeUndefined();
    end.result = result;
  };
  const party = make({ send: (bytes) => sent.push(...bytes), done: over, failed: over });
  return end;
}

export function client(options: SaslClientOptions): End {
  return endOf((events) => {
    const party = new SaslClient(options, events);
    party.start();
    return party;
  });
}

export function server(init: AdmissionInit, clientName?: string): End {
  return endOf((events) => new SaslServer(new Admission(init), clientName, events));
}

export function join(...pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

export function mechanisms(...names: string[]): Uint8Array {
  return saslFrame(0x40, (writer) => {
    writer.symbols(names);
    return 1;
  });
}

export function init(mechanism: string, response: Uint8Array | string | undefined): Uint8Array {
  return saslFrame(0x41, (writer) => {
    writer.symbol(mechanism);
    writer.binary(typeof response === "string" ? new TextEncoder().encode(response) : response);
    return 2;
  });
}

export function outcome(code: number, additionalData?: string): Uint8Array {
  return saslFrame(0x44, (writer) => {
    writer.ubyte(code);
    if (additionalData !== undefined) writer.binary(new TextEncoder().encode(additionalData));
    return additionalData === undefined ? 1 : 2;
  });
}

export function challenge(data: string): Uint8Array {
  return saslFrame(0x42, (writer) => {
    writer.binary(new TextEncoder().encode(data));
    return 1;
  });
}

export function response(data: string): Uint8Array {
  return saslFrame(0x43, (writer) => {
    writer.binary(new TextEncoder().encode(data));
    return 1;
  });
}

/** How the exchange ends when these bytes come, in pieces of `size`; what comes after the end belongs to AMQP. */
export function feed(end: End, bytes: Uint8Array, size = bytes.length): unknown {
  for (let at = 0; at < bytes.length; at += size) {
    end.receive(bytes.subarray(at, at + size));
    if (end.result === undefined) continue;
    if (end.result instanceof Error) return end.result;
    const result = end.result as SaslResult;
    return { ...result, rest: join(result.rest, bytes.subarray(at + size)) };
  }
  return undefined;
}

/** Both ends until both are done. */
export async function converse(
  clientOptions: SaslClientOptions,
  admission: AdmissionInit,
  clientName?: string,
): Promise<{ client: unknown; server: unknown }> {
  const ends = { client: client(clientOptions), server: server(admission, clientName) };
  const taken = { client: 0, server: 0 };
  while (ends.client.result === undefined || ends.server.result === undefined) {
    for (const [from, to] of [
      ["client", "server"],
      ["server", "client"],
    ] as const) {
      const bytes = ends[from].sent().subarray(taken[from]);
      taken[from] += bytes.length;
      if (bytes.length > 0) ends[to].receive(bytes);
    }
    if (ends.client.result instanceof Error && ends.server.result === undefined) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { client: ends.client.result, server: ends.server.result };
}
