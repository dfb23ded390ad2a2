import { AmqpError, textEntries } from "../../errors.js";
import type { RemoteAttach, SettleMode, Terminus, TerminusInit } from "../../links/link.js";
import type { RemoteOpen } from "./control-events.js";

/** A terminus as received. The types of its fields, and those below of type unknown, are untrusted input. */
interface TerminusFields {
  readonly address: unknown;
  readonly dynamic: unknown;
  readonly capabilities: unknown;
}

interface AttachFields {
  readonly handle: number;
  readonly source: TerminusFields | null;
  readonly target: TerminusFields | null;
  readonly snd_settle_mode: number;
  readonly initial_delivery_count: number | null | undefined;
  readonly max_message_size: unknown;
}

interface OpenFields {
  readonly container_id: unknown;
  readonly hostname: unknown;
  readonly max_frame_size: unknown;
  readonly idle_time_out: unknown;
  readonly offered_capabilities: unknown;
  readonly properties: unknown;
}

interface ErrorFields {
  readonly condition?: unknown;
  readonly description?: unknown;
  readonly info?: unknown;
}

export function toTerminusFields({ address, dynamic, capabilities }: TerminusInit): object {
  return {
    address,
    dynamic: dynamic === true,
    capabilities: capabilities === undefined ? undefined : [...capabilities],
  };
}

function toTerminus(terminus: TerminusFields | null | undefined): Terminus | undefined {
  if (terminus === null || terminus === undefined) return undefined;
  return {
    address: toText(terminus.address),
    dynamic: terminus.dynamic === true,
    capabilities: toTexts(terminus.capabilities),
  };
}

const SETTLE_MODES: readonly SettleMode[] = ["unsettled", "settled", "mixed"];

export function toRemoteAttach(attach: AttachFields): RemoteAttach {
  const limit = attach.max_message_size;
  return {
    handle: attach.handle,
    source: toTerminus(attach.source),
    target: toTerminus(attach.target),
    settleMode: SETTLE_MODES[attach.snd_settle_mode] ?? "mixed",
    initialDeliveryCount: attach.initial_delivery_count ?? 0,
    maxMessageBytes: typeof limit === "number" && limit > 0 ? limit : undefined,
  };
}

export function toRemoteOpen(open: OpenFields): RemoteOpen {
  const { container_id, hostname, max_frame_size, idle_time_out, offered_capabilities } = open;
  const properties = new Map(open.properties instanceof Map ? textEntries(open.properties) : []);
  return {
    containerId: toText(container_id) ?? "",
    hostname: toText(hostname),
    product: properties.get("product"),
    version: properties.get("version"),
    properties,
    maxFrameBytes: toNumber(max_frame_size) ?? 0xffffffff,
    idleTimeoutMs: toNumber(idle_time_out),
    offeredCapabilities: toTexts(offered_capabilities),
    established: !properties.has("amqp:connection-establishment-failed"),
  };
}

export function toAmqpError(error: ErrorFields | undefined): AmqpError | undefined {
  if (error === undefined || error === null) return undefined;
  return new AmqpError({
    condition: toText(error.condition) ?? "amqp:internal-error",
    description: toText(error.description),
    info: error.info instanceof Map ? Object.fromEntries(textEntries(error.info)) : undefined,
  });
}

/** Maximum number of capabilities that are read. A link needs no more, but a peer may send tens of thousands. */
const MAX_CAPABILITIES = 100;

function toText(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function toTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.slice(0, MAX_CAPABILITIES).map(String);
  const text = toText(value);
  return text === undefined ? [] : [text];
}

function toNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
