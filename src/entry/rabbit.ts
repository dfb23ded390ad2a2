import type { DriverPlugin } from "../driver/options/transport-options.js";
import { rabbit as driver } from "../driver/rabbit/rabbit.js";

/**
 * The driver of RabbitMQ: an element of `drivers` in the options of a transport. Browsers and workers need it for `rabbit+ws`,
 * `rabbit+wss` and, with `tcpDialers`, `rabbit`, and for RabbitMQ 4 by AMQP 1.0. In Node, Deno and Bun it is built in, and passing it
 * changes nothing.
 */
export const rabbit: DriverPlugin = driver;
