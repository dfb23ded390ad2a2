import { offAbort, onAbort } from "../core/abort.js";
import { ConnectionLost } from "../core/errors.js";
import type { Delivery } from "../core/links/delivery.js";
import type { Receiver } from "../core/links/receiver.js";
import { amqpConnection } from "../driver/amqp/amqp-connection.js";
import type { DriverConnection } from "../driver/amqp/driver-connection.js";
import { MessagingException } from "../driver/exceptions.js";
import { abortSignal, checked } from "../driver/options/option-checks.js";
import type { TransportOptions } from "../driver/options/transport-options.js";
import type { Transport } from "../driver/transport.js";
import { fromJson, isJsonObject } from "../driver/values/json.js";
import { TOPOLOGY_ADDRESS, TOPOLOGY_CAPABILITY, type Topology } from "../intermediary/topology.js";

/** Options of the connection to an intermediary, as for a transport, and a signal to stop watching. */
export interface WatchTopologyOptions
  extends Pick<TransportOptions, "amqp" | "credentials" | "dialers" | "logger" | "tls" | "webSocket"> {
  /** Ends the iteration: waiting for the next snapshot rejects with the reason. */
  signal?: AbortSignal | undefined;
}

/** Watches the topology over its own transport. `connect` makes it immediately, but it connects later. */
export function watchedTopology(
  connect: (options: TransportOptions) => Transport,
  { signal, ...options }: WatchTopologyOptions,
): AsyncIterable<Topology> {
  const valid = checked({ signal }, { signal: abortSignal });
  return watched(connect(options), valid.signal);
}

async function* watched(transport: Transport, signal: AbortSignal | undefined): AsyncGenerator<Topology, void> {
  const close = (): void => void transport.close();
  onAbort(signal, close);
  try {
    signal?.throwIfAborted();
    yield* snapshots(await amqpConnection(transport));
  } catch (error) {
    signal?.throwIfAborted(); // other errors follow from the abort
    throw error;
  } finally {
    offAbort(signal, close);
    await transport.close();
  }
}

async function* snapshots(bus: DriverConnection): AsyncGenerator<Topology, never> {
  const slot = new LatestValue();
  await attach(bus, slot);
  for (;;) {
    const delivery = await slot.take();
    yield parse(delivery, bus);
    // Returning the credit only now makes the next snapshot the newest, however long the reader took.
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
      onDetach: (error) => slot.end(error ?? new ConnectionLost(`${bus.host}: the peer detached the link`)),
    });
  } catch (cause) {
    throw bus.isOpen ? notAnIntermediary(bus, "refuses the link", { cause }) : cause;
  }
  if (!receiver.source?.capabilities.includes(TOPOLOGY_CAPABILITY))
    throw notAnIntermediary(bus, "does not know the address");
}

function parse(delivery: Delivery, bus: DriverConnection): Topology {
  const { body } = delivery.message;
  const text = body?.type === "data" ? new TextDecoder().decode(body.bytes) : "";
  const topology = fromJson(text, `the topology of ${bus.host}`);
  if (isTopology(topology)) return topology;
  throw notAnIntermediary(bus, "sends no topology from");
}

function isTopology(value: unknown): value is Topology {
  return isJsonObject(value) && Array.isArray(value["connections"]) && Array.isArray(value["addresses"]);
}

function notAnIntermediary(
  { host, product = "unknown" }: DriverConnection,
  symptom: string,
  options?: ErrorOptions,
): MessagingException {
  const reason = `not an embedded intermediary of oslo-messaging (product: ${product})`;
  return new MessagingException(`${host} ${symptom} ${TOPOLOGY_ADDRESS}: ${reason}`, options);
}

/** Holds the delivery that has not been taken yet: at most one, because the link has credit 1. */
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

  /** Resolves with the next delivery. Rejects when the link ends. */
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
