/** Serial numbers modulo 2^32 (RFC 1982), as AMQP counts deliveries and transfers (transport 2.8.10). */
export function serialAdd(serial: number, n: number): number {
  return (serial + n) >>> 0;
}

/** How far `a` is ahead of `b`; negative when it is behind. */
export function serialDistance(a: number, b: number): number {
  return (a - b) | 0;
}
