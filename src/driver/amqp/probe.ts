import type { AmqpConnectionReport } from "../connection-report.js";
import type { ServiceKind } from "../driver.js";
import type { Target } from "../target.js";
import type { Route } from "./addressing.js";
import type { DriverConnection } from "./driver-connection.js";
import type { LinkContext } from "./link-context.js";

/** Longest wait for the peer to grant credit. */
const CREDIT_MS = 1_000;

/** Attaches links, detaches them and reports. Rejects when the link to the target is refused or the connection is lost. */
export async function probe(
  connection: DriverConnection,
  target: Target | undefined,
  service: ServiceKind,
): Promise<AmqpConnectionReport> {
  const { amqp, host, addresser } = connection;
  const { product, version } = amqp.remote;
  await probeReplies(connection); // not measured: the first link also waits for its session to begin
  const facts: AmqpConnectionReport = {
    protocol: "AMQP 1.0",
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

async function probeReplies(
  context: LinkContext,
): Promise<Pick<AmqpConnectionReport, "dynamicReplies" | "roundTripMs">> {
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
    return { dynamicReplies: false, roundTripMs: elapsedMs() }; // a refusal also measures a round trip
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
