/** Adds to a serial number modulo 2^32 (RFC 1982), as used by AMQP for deliveries and transfers (transport 2.8.10). */
export function serialAdd(serial: number, n: number): number {
  return (serial + n) >>> 0;
}

/** Distance from serial number `b` to `a`; negative when `a` is behind `b`. */
export function serialDistance(a: number, b: number): number {
  return (a - b) | 0;
}
