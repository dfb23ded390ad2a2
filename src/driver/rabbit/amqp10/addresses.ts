/**
 * Addresses of RabbitMQ 4 (its form 2): each name is percent-encoded. The default exchange has no address of its own: it is
 * addressed by its queues.
 */
export function routeAddress(exchange: string, routingKey: string): string {
  if (exchange === "") return queueAddress(routingKey);
  const address = exchangeAddress(exchange);
  return routingKey === "" ? address : `${address}/${percentEncoded(routingKey)}`;
}

/** Also the path of the exchange for the management. */
export function exchangeAddress(exchange: string): string {
  return `/exchanges/${percentEncoded(exchange)}`;
}

/** Also the path of the queue for the management. */
export function queueAddress(queue: string): string {
  return `/queues/${percentEncoded(queue)}`;
}

/** RabbitMQ refuses an address with any other character than RFC 3986's unreserved ones, and so encodeURIComponent is not enough. */
function percentEncoded(name: string): string {
  if (/^[\w.~-]*$/.test(name)) return name;
  let encoded = "";
  for (const byte of new TextEncoder().encode(name)) {
    const char = String.fromCharCode(byte);
    encoded += /[\w.~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
