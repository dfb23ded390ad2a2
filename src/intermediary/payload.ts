import { DESCRIBED, SMALLULONG } from "../core/types/codes.js";
import { HEADER } from "../core/types/descriptors.js";
import { Reader } from "../core/types/reader.js";

/** The payload, ready to be stored: copied if it is less than half of its buffer, which it would keep in memory. */
export function kept(payload: Uint8Array): Uint8Array {
  return payload.length * 2 < payload.buffer.byteLength ? new Uint8Array(payload) : payload;
}

/**
 * The message's time to live in milliseconds, from its header (messaging 3.2.1); the rest of the message is not read.
 * Infinity if the ttl is omitted or 0, or if the bytes are not a message. The absolute-expiry-time in the properties is
 * ignored: the Python driver fills it from a clock that is not the time of day.
 */
export function timeToLiveMs(payload: Uint8Array): number {
  return (startsWithHeader(payload) ? readTimeToLive(payload) : undefined) || Number.POSITIVE_INFINITY;
}

/** Whether the payload begins with the descriptor of the header section, as a smallulong. */
function startsWithHeader(payload: Uint8Array): boolean {
  return payload[0] === DESCRIBED && payload[1] === SMALLULONG && payload[2] === HEADER;
}

function readTimeToLive(payload: Uint8Array): number | undefined {
  const reader = new Reader(payload, 3, payload.length);
  try {
    if (reader.list() < 3) return undefined;
    reader.boolean(); // durable
    reader.ubyte(); // priority
    return reader.uint();
  } catch {
    return undefined;
  }
}
