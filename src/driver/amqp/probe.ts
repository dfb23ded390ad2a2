import type { Target } from "../target.js";
import type { Route, ServiceKind } from "./addressing.js";
import type { DriverConnection } from "./driver-connection.js";
import type { LinkContext } from "./link-context.js";

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
  connection: DriverConnection,
  target: Target | undefined,
  service: ServiceKind,
): Promise<ConnectionReport> {
  const { amqp, host, addresser } = connection;
  const { product, version } = amqp.remote;
  await probeReplies(connection); // the first link waits for a session too
  const facts = {
    host,
    encrypted: amqp.socket.encrypted,
    mechanism: amqp.mechanism,
    product,
    version,
    addressing: addresser.mode,
    ...(await probeReplies(connection)),
  };
  return target === undefined
    ? facts
    : { ...facts, credit: await creditFor(connection, addresser.resolve(target, service)) };
}

async function probeReplies(context: LinkContext): Promise<Pick<ConnectionReport, "dynamicReplies" | "roundTripMs">> {
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  try {
    const receiver = await context.openReceiver({
      name: context.linkName("receiver", "probe"),
      source: { dynamic: true },
      target: { address: "probe" },
      credit: 0,
      onDelivery() {},
    });
    const roundTripMs = elapsedMs();
    await receiver.close();
    return { dynamicReplies: receiver.source?.address !== undefined, roundTripMs };
  } catch (error) {
    if (!context.isOpen) throw error;
    return { dynamicReplies: false, roundTripMs: elapsedMs() }; // a refusal is an answer too
  }
}

async function creditFor(context: LinkContext, { address, capabilities }: Route): Promise<number> {
  let changed = (): void => {};
  let lost: Error | undefined;
  const sender = await context.openSender({
    name: context.linkName("sender", address),
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
