import rheaFrames from "rhea/lib/frames.js";
import { accepted, released, WINDOW } from "@/test/support/raw-peer.js";
import { AMQP, attach } from "../intermediary/raw-client.js";
import { BEGIN, encoded } from "./raw-bed.js";

type Name = "open" | "begin" | "flow" | "transfer" | "disposition" | "detach" | "end" | "close";

/** One frame on channel 0. */
export function frame(name: Name, fields: Record<string, unknown>, payload?: Uint8Array): Uint8Array {
  return rheaFrames.write_frame(rheaFrames.amqp_frame(0, rheaFrames[name](fields), payload && Buffer.from(payload)));
}

export const MESSAGE = encoded("a message");
const ERROR = { condition: "amqp:internal-error", description: "of the test" };

/** Messages over two links, one in each direction, and the end of everything; either side could say it. */
const TRAFFIC: readonly Uint8Array[] = [
  frame("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 10 }),
  frame("transfer", { handle: 1, delivery_id: 0, delivery_tag: Buffer.of(1), message_format: 0 }, MESSAGE),
  frame("transfer", { handle: 1, delivery_id: 1, delivery_tag: Buffer.of(2), more: true }, MESSAGE.subarray(0, 9)),
  frame("transfer", { handle: 1, more: true }, MESSAGE.subarray(9, 10)),
  frame("transfer", { handle: 1 }, MESSAGE.subarray(10)),
  frame("transfer", { handle: 1, delivery_id: 2, delivery_tag: Buffer.of(3), more: true, settled: true }, MESSAGE),
  frame("transfer", { handle: 1, aborted: true }),
  frame("disposition", { role: true, first: 0, last: 1, settled: true, state: accepted() }),
  frame("disposition", { role: true, first: 2, settled: false, state: released() }),
  frame("flow", { ...WINDOW, next_incoming_id: 3, handle: 0, delivery_count: 3, link_credit: 10, drain: true }),
  frame("flow", { ...WINDOW, next_incoming_id: 3, handle: 1, delivery_count: 3, link_credit: 0, echo: true }),
  frame("flow", { ...WINDOW, next_incoming_id: 3, echo: true }),
  frame("detach", { handle: 0, closed: true }),
  frame("detach", { handle: 1, closed: false, error: ERROR }),
  frame("end", {}),
  frame("close", { error: ERROR }),
];

/** What a client says without SASL: it receives on link `out` and sends on link `in`. */
export const CLIENT: readonly Uint8Array[] = [
  AMQP,
  frame("open", { container_id: "fuzz", idle_time_out: 60_000, properties: { product: "fuzz" } }),
  frame("begin", BEGIN),
  attach({ name: "out", handle: 0, role: true }),
  attach({ name: "in", handle: 1, role: false }),
  ...TRAFFIC,
];

/** What a server says behind SASL to a client that has attached `out`, on which it sends, and `in`. */
export const SERVER: readonly Uint8Array[] = [
  AMQP,
  frame("open", { container_id: "fuzz", max_frame_size: 512, channel_max: 10 }),
  frame("begin", { ...BEGIN, remote_channel: 0, handle_max: 10 }),
  attach({ name: "out", handle: 0, role: true }),
  attach({ name: "in", handle: 1, role: false }),
  ...TRAFFIC,
];
