/**
 * The URL schemes of the driver, each with the scheme whose dialer connects it. `kombu` is oslo's alias of `rabbit`. The
 * other transports of Python's kombu, as `kombu+redis`, speak other protocols and have no driver here.
 */
export const RABBIT_SCHEMES: ReadonlyMap<string, string> = new Map([
  ["rabbit", "amqp"],
  ["kombu", "amqp"],
  ["kombu+amqp", "amqp"],
  ["rabbit+ws", "amqp+ws"],
  ["rabbit+wss", "amqp+wss"],
]);
