import { toError } from "../../core/errors.js";
import { amqpConnection } from "../../driver/amqp/amqp-connection.js";
import { productOf } from "../../driver/amqp/products.js";
import { withoutCredit } from "../../driver/sending/likely-reason.js";
import type { AmqpConnectionReport, RPCTransport, Target } from "../../entry/node.js";
import { runChecks } from "./amqp-checks.js";
import { type Check, type CheckInit, type Findings, limitsFor, peerFacts, roundTrip } from "./findings.js";
import { warningOnVersion } from "./versions.js";

/** Checks an intermediary of AMQP 1.0. */
export async function amqpFindings(
  transport: RPCTransport,
  probed: AmqpConnectionReport,
  init: CheckInit,
): Promise<Findings> {
  const bus = await amqpConnection(transport, { signal: init.signal });
  const { checks, warnings } = await runChecks(bus, limitsFor(init, probed));
  const credit = init.target === undefined ? undefined : await creditOf(transport, init.target, init);
  const { addressingMode } = bus.addresser.options;
  const addressingReason = reasonOf(probed, addressingMode);
  return {
    report: { ...probed, addressingReason, ...(credit?.credit !== undefined && { credit: credit.credit }) },
    facts: {
      ...peerFacts(probed),
      addressing: `${probed.addressing}: ${addressingReason}`,
      replies: probed.dynamicReplies ? "the peer makes addresses for them" : "the peer makes no addresses for them",
      "round trip": roundTrip(probed),
    },
    checks: credit === undefined ? checks : [...checks, credit.check],
    warnings: [...warningsOn(probed, addressingMode), ...warnings],
  };
}

async function creditOf(
  transport: RPCTransport,
  target: Target,
  { timeoutMs, signal }: CheckInit,
): Promise<{ check: Check; credit?: number | undefined }> {
  const name = `credit for ${target}`;
  try {
    const probed = await transport.probe(target, { timeoutMs, signal });
    const { product } = probed;
    const credit = "credit" in probed ? (probed.credit ?? 0) : 0;
    if (credit > 0) return { credit, check: { name, ok: true, detail: `${credit} messages would be taken now` } };
    const advice = withoutCredit(productOf(product).kind);
    return { credit, check: { name, ok: false, detail: "no message would be taken now", advice } };
  } catch (thrown) {
    signal.throwIfAborted();
    return { check: { name, ok: false, detail: `no link for it: ${toError(thrown).message}` } };
  }
}

function reasonOf({ product }: AmqpConnectionReport, mode: string): string {
  if (mode !== "dynamic") return "addressing_mode says so";
  return product === undefined ? "the peer does not say what it is" : "what the driver takes for this product";
}

function warningsOn({ product, version, addressing }: AmqpConnectionReport, mode: string): readonly string[] {
  const old = warningOnVersion(product, version);
  const pythonAddressing = product === undefined || product === "qpid-cpp" ? "legacy" : "routable";
  const different =
    mode === "dynamic" && addressing !== pythonAddressing
      ? `the Python driver takes ${pythonAddressing} addresses for ${product}: it needs addressing_mode = ${addressing}`
      : undefined;
  return [old, different].filter((warning) => warning !== undefined);
}
