import { inject } from "vitest";
import type { Dial } from "@/src/core/byte-stream.js";
import type { IntermediaryKind } from "@/src/intermediary/address-table.js";
import type { Addressing } from "@/src/intermediary/addresses.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import type { ArtemisAddress } from "./artemis.js";

export type Scheme = "amqp" | "amqps" | "amqp+ws" | "amqp+wss" | "amqp+memory";
export type BusAddressing = "routable" | "legacy";

/** What every intermediary of the same row is, known before one runs. */
export interface BusPlan {
  /** For the titles of tests. */
  name: string;
  kind: IntermediaryKind;
  addressing: BusAddressing;
  /** By which it can be reached. */
  schemes: readonly Scheme[];
  abilities: Abilities;
  /** With these options of addresses; whose links say what an address is for needs none. */
  start: (addressing?: Addressing) => Promise<Bus>;
}

/** What not every intermediary can do, though ours and Artemis can. */
export interface Abilities {
  /** A fanout reaches everybody. */
  multicasts: boolean;
  /** What its listener gives back is delivered again, by it or by the sender. */
  requeues: boolean;
  /** Knows what an address is for however it is spelled: it is told when it starts, or by each link. */
  takesAnyAddress: boolean;
  /** Its URL has neither a virtual host nor options that shape addresses. */
  usualAddresses: boolean;
}

/** An intermediary that runs. */
export interface Bus extends AsyncDisposable {
  /**
   * How to get there by a scheme, with credentials, the addressing mode and these options of [oslo_messaging_amqp].
   * The Python peers take the one of `amqp`.
   */
  url(scheme: Scheme, options?: Readonly<Record<string, string>>): string;
  /** What a transport needs besides the URL: `amqp+memory` is no scheme of Node's own. */
  readonly dialers: Readonly<Record<string, Dial>>;
  /** Ours ends, with all its connections; Artemis stays for the others. Idempotent. */
  close(): Promise<void>;
}

const EVERYTHING: Abilities = { multicasts: true, requeues: true, takesAnyAddress: true, usualAddresses: true };

export const EMBEDDED_ROUTER = embedded("router", "routable");
export const EMBEDDED_BROKER = embedded("broker", "routable");
export const ARTEMIS_ROUTABLE = artemis("routable");
export const ARTEMIS_LEGACY = artemis("legacy");

export const BUSES: readonly BusPlan[] = [
  EMBEDDED_ROUTER,
  EMBEDDED_BROKER,
  embedded("router", "legacy"),
  embedded("broker", "legacy"),
  ARTEMIS_ROUTABLE,
  ARTEMIS_LEGACY,
];

function embedded(kind: IntermediaryKind, addressing: BusAddressing): BusPlan {
  return {
    name: `the embedded ${kind}, ${addressing} addresses`,
    kind,
    addressing,
    schemes: ["amqp+memory", "amqp", "amqp+ws"],
    abilities: EVERYTHING,
    start: (options) => startEmbedded(kind, addressing, options),
  };
}

async function startEmbedded(kind: IntermediaryKind, addressing: BusAddressing, options?: Addressing): Promise<Bus> {
  const intermediary = new Intermediary({ kind, addressing: options });
  const { accept } = intermediary;
  const at = { host: "127.0.0.1", port: 0, maxConnections: 1_000, accept };
  const tcp = await listenTcp(at);
  const ws = await listenWebSocket({ ...at, maxMessageBytes: 16 * 1024 * 1024 });
  const authorities = new Map<Scheme, string>([
    ["amqp", `127.0.0.1:${tcp.port}`],
    ["amqp+ws", `127.0.0.1:${ws.port}`],
    ["amqp+memory", "embedded"],
  ]);
  const close = async (): Promise<void> => {
    await intermediary.close();
    await Promise.all([tcp.close(), ws.close()]);
  };
  return {
    url: (scheme, options) => busUrl(scheme, authorities.get(scheme), addressing, options),
    dialers: { "amqp+memory": memoryDial(accept) },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function artemis(addressing: BusAddressing): BusPlan {
  return {
    name: `Artemis, ${addressing} addresses`,
    kind: "broker",
    addressing,
    schemes: ["amqp", "amqp+ws"],
    abilities: EVERYTHING,
    start: async () => artemisBus(inject("artemis")[addressing], addressing),
  };
}

function artemisBus({ port, login }: ArtemisAddress, addressing: BusAddressing): Bus {
  const who = login && `${encodeURIComponent(login.username)}:${encodeURIComponent(login.password)}@`;
  const close = async (): Promise<void> => {};
  return {
    url: (scheme, options) => busUrl(scheme, `${who ?? ""}127.0.0.1:${port}`, addressing, options),
    dialers: {},
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The dynamic choice is right for routable addresses everywhere; legacy ones have to be asked for. */
function busUrl(
  scheme: Scheme,
  authority: string | undefined,
  addressing: BusAddressing,
  options?: Readonly<Record<string, string>>,
): string {
  if (authority === undefined) throw new Error(`nothing listens for ${scheme}`);
  const query = new URLSearchParams({ ...(addressing === "legacy" && { addressing_mode: "legacy" }), ...options });
  return `${scheme}://${authority}/?${query}`;
}
