/**
 * The oldest supported version, by the `product` that the peer states: of the deployment guide, and of RabbitMQ the first one
 * whose prefetch count limits each consumer.
 */
const OLDEST: ReadonlyMap<string, string> = new Map([
  ["qpid-dispatch-router", "0.8.0"],
  ["qpid-cpp", "0.34"],
  ["RabbitMQ", "3.3.0"],
]);

/** The warning for a product that is too old; undefined if it is not, or if the version does not begin with numbers. */
export function warningOnVersion(product: string | undefined, version: string | undefined): string | undefined {
  const oldest = OLDEST.get(product ?? "");
  if (oldest === undefined || version === undefined || !isOlder(version, oldest)) return undefined;
  return `${product} ${version} is too old: the driver needs ${oldest} or newer`;
}

/** False when the version does not begin with numbers. */
export function isOlder(version: string, than: string): boolean {
  const numbers = /^\d+(\.\d+)*/.exec(version)?.[0];
  if (numbers === undefined) return false;
  const parts = numbers.split(".").map(Number);
  for (const [index, minimum] of than.split(".").map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== minimum) return part < minimum;
  }
  return false;
}
