import type { Target } from "../target.js";
import type { Route, ServiceKind } from "./addressing.js";
import type { DriverConnection } from "./driver-connection.js";

/** What is at the other end of a connection. */
export interface ConnectionReport {
  /** `name:port`. */
  readonly host: string;
  /** By TLS. */
  readonly encrypted: boolean;
  /** Of SASL; empty when there was none. */
  readonly mechanism: string;
  /** What the peer says it is, if it does. */
  readonly product: string | undefined;
  /** Of that product, if the peer says it. */
  readonly version: string | undefined;
  /** How addresses look: as `addressing_mode` says, or as the product needs them. */
  readonly addressing: "legacy" | "routable";
  /** The peer makes addresses for replies: without that there are no calls. */
  readonly dynamicReplies: boolean;
  /** How long the peer took to answer the attach of a link, in milliseconds. */
  readonly roundTripMs: number;
  /** How many messages for the target the peer would take now; 0: none within a second. Absent: no target was given. */
  readonly credit?: number | undefined;
}

/** How long the peer may take to grant credit. */
const CREDIT_MS = 1_000;

/** Attaches links of its own, and detaches them. Rejects when the link to the target is refused, or the connection lost. */
export async function probe(
  bus: DriverConnection,
  target: Target | undefined,
  service: ServiceKind,
): Promise<ConnectionReport> {
  const { connection, host, addresser } = bus;
  const { product, version } = connection.remote;
  await probeReplies(bus); // the first link waits for a session too
  const facts = {
    host,
    encrypted: connection.socket.encrypted,
    mechanism: connection.mechanism,
    product,
    version,
    addressing: addresser.mode,
    ...(await probeReplies(bus)),
  };
  return target === undefined ? facts : { ...facts, credit: await creditFor(bus, addresser.resolve(target, service)) };
}

async function probeReplies(bus: DriverConnection): Promise<Pick<ConnectionReport, "dynamicReplies" | "roundTripMs">> {
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  try {
    const receiver = await bus.openReceiver({
      name: bus.linkName("receiver", "probe"),
      source: { dynamic: true },
      target: { address: "probe" },
      credit: 0,
      onDelivery() {},
    });
    const roundTripMs = elapsedMs();
    await receiver.close();
    return { dynamicReplies: receiver.source?.address !== undefined, roundTripMs };
  } catch (error) {
    if (!bus.isOpen) throw error;
    return { dynamicReplies: false, roundTripMs: elapsedMs() }; // a refusal is an answer too
  }
}

async function creditFor(bus: DriverConnection, { address, capabilities }: Route): Promise<number> {
  let changed = (): void => {};
  let lost: Error | undefined;
  const sender = await bus.connection.openSender({
    name: bus.linkName("sender", address),
    source: { address },
    target: { address, capabilities },
    onCredit: () => changed(),
    onDetach: (error) => {
      lost = error ?? new Error(`the peer detached the link to ${address}`);
      changed();
    },
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, CREDIT_MS);
    changed = () => {
      if (sender.attached && sender.credit === 0) return;
      clearTimeout(timer);
      resolve();
    };
    changed();
  });
  if (lost !== undefined) throw lost;
  const { credit } = sender;
  await sender.close();
  return credit;
}
