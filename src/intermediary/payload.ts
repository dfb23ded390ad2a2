import { Reader } from "../core/types/reader.js";

/** The bytes, to keep: copied when they are a small part of what the socket read, which they would hold in memory. */
export function kept(payload: Uint8Array): Uint8Array {
  return payload.length * 2 < payload.buffer.byteLength ? new Uint8Array(payload) : payload;
}

/**
 * How long the message is worth delivering, from its header (messaging 3.2.1), the only thing that is read of it.
 * Infinity: for ever; so it is without a ttl, with one of 0, and when the bytes are no message. The properties'
 * absolute-expiry-time is not looked at: the Python driver fills it from a clock that is not the time of day.
 */
export function timeToLiveMs(payload: Uint8Array): number {
  return (startsWithHeader(payload) ? readTimeToLive(payload) : undefined) || Number.POSITIVE_INFINITY;
}

/** The descriptor of the header section: 0x70 as a small ulong. */
function startsWithHeader(payload: Uint8Array): boolean {
  return payload[0] === 0x00 && payload[1] === 0x53 && payload[2] === 0x70;
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
