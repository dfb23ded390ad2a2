import { ConnectionLost } from "../core/errors.js";
import type { Delivery } from "../core/links/delivery.js";
import type { Receiver } from "../core/links/receiver.js";
import type { DriverConnection } from "../driver/amqp/driver-connection.js";
import { MessagingException } from "../driver/exceptions.js";
import { abortSignal, checked } from "../driver/options/option-checks.js";
import type { TransportOptions } from "../driver/options/transport-options.js";
import type { Transport } from "../driver/transport.js";
import { fromJson, isJsonObject } from "../driver/values/json.js";
import { TOPOLOGY_ADDRESS, TOPOLOGY_CAPABILITY, type Topology } from "../intermediary/topology.js";

/** How to get to an intermediary, as for a transport, and when to stop watching it. */
export interface WatchTopologyOptions
  extends Pick<TransportOptions, "amqp" | "credentials" | "dialers" | "logger" | "tls" | "webSocket"> {
  /** Ends it: whoever waits for the next snapshot gets its reason. */
  signal?: AbortSignal | undefined;
}

/** Watches over a transport of its own, which `connect` makes at once and without connecting yet. */
export function watchedTopology(
  connect: (options: TransportOptions) => Transport,
  { signal, ...options }: WatchTopologyOptions,
): AsyncIterable<Topology> {
  const good = checked({ signal }, { signal: abortSignal });
  return watched(connect(options), good.signal);
}

async function* watched(transport: Transport, signal: AbortSignal | undefined): AsyncGenerator<Topology, void> {
  const close = (): void => void transport.close();
  signal?.addEventListener("abort", close);
  try {
    signal?.throwIfAborted();
    const bus = await connected(transport);
    yield* snapshots(bus);
  } catch (error) {
    signal?.throwIfAborted(); // what else went wrong then follows from it
    throw error;
  } finally {
    signal?.removeEventListener("abort", close);
    await transport.close();
  }
}

/** Each host is tried once: who watches wants to hear that there is nobody. */
async function connected(transport: Transport): Promise<DriverConnection> {
  const bus = transport.driverConnection();
  bus.catch(() => {}); // told by the status too
  let hostsLeft = Math.max(1, transport.url.hosts.length);
  for await (const status of transport.status()) {
    if (status.type === "connected") break;
    if (status.type !== "disconnected") continue;
    hostsLeft--;
    if (hostsLeft === 0) throw status.error ?? new ConnectionLost(`${status.host}: closed by the peer`);
  }
  return await bus;
}

async function* snapshots(bus: DriverConnection): AsyncGenerator<Topology, never> {
  const slot = new LatestValue();
  await attach(bus, slot);
  for (;;) {
    const delivery = await slot.take();
    yield parse(delivery, bus);
    // Its credit goes back now, so that the next one is the newest however long that took.
    delivery.accept();
  }
}

async function attach(bus: DriverConnection, slot: LatestValue): Promise<void> {
  let receiver: Receiver;
  try {
    receiver = await bus.openReceiver({
      name: bus.linkName("receiver", TOPOLOGY_ADDRESS),
      source: { address: TOPOLOGY_ADDRESS },
      target: { address: TOPOLOGY_ADDRESS },
      credit: 1,
      onDelivery: (delivery) => slot.put(delivery),
      onDetach: (error) => slot.end(error ?? new ConnectionLost(`${bus.host}: the peer tells no more`)),
    });
  } catch (cause) {
    throw bus.isOpen ? strange(bus, "refuses the link", { cause }) : cause;
  }
  if (!receiver.source?.capabilities.includes(TOPOLOGY_CAPABILITY)) throw strange(bus, "does not know the address");
}

function parse(delivery: Delivery, bus: DriverConnection): Topology {
  const { body } = delivery.message;
  const text = body?.type === "data" ? new TextDecoder().decode(body.bytes) : "";
  const topology = fromJson(text, `the topology of ${bus.host}`);
  if (isTopology(topology)) return topology;
  throw strange(bus, "tells something else");
}

function isTopology(value: unknown): value is Topology {
  return isJsonObject(value) && Array.isArray(value["connections"]) && Array.isArray(value["addresses"]);
}

function strange(
  { host, product = "nothing" }: DriverConnection,
  what: string,
  options?: ErrorOptions,
): MessagingException {
  const who = `it is no embedded intermediary of oslo-messaging, and calls itself ${product}`;
  return new MessagingException(`${host} ${what} ${TOPOLOGY_ADDRESS}: ${who}`, options);
}

/** What came and was not taken yet. That is one delivery at most, for so much credit is given. */
class LatestValue {
  #delivery: Delivery | undefined;
  #error: Error | undefined;
  #wake = (): void => {};

  put(delivery: Delivery): void {
    this.#delivery = delivery;
    this.#wake();
  }

  end(error: Error): void {
    this.#error = error;
    this.#wake();
  }

  /** The next one. Rejects when there will be no more. */
  async take(): Promise<Delivery> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const delivery = this.#delivery;
      this.#delivery = undefined;
      if (delivery !== undefined) return delivery;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
