import { ConfigurationError } from "../exceptions.js";
import type { Host } from "./hosts.js";

/** @throws ConfigurationError for a version of RabbitMQ before 4.0: its AMQP 1.0 has other addresses, and no management. */
export function checkRabbitVersion(host: Host, version = "of an unknown version"): void {
  if (Number.parseInt(version, 10) >= 4) return;
  throw new ConfigurationError(
    "url",
    `${host.name} is RabbitMQ ${version}, whose AMQP 1.0 is too old: use rabbit+ws:// or rabbit://`,
  );
}

/** How to add the driver that some runtimes lack, as a part of an error. */
export const NEEDS_RABBIT =
  'needs the driver: import { rabbit } from "oslo-messaging/rabbit" and pass { drivers: [rabbit] }';
