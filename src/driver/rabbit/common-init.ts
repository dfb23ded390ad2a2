import { MAX_MESSAGE_BYTES } from "../../core/connection/connection.js";
import type { DriverInit } from "../runtime.js";
import type { RabbitDriverInit } from "./driver.js";

/** The members of a driver's init that are the same over either protocol. */
export function commonInit({
  options,
  runtime,
  status,
  logger,
  warnings,
}: Pick<DriverInit, "options" | "runtime" | "status" | "logger" | "warnings">): Omit<
  RabbitDriverInit,
  "hosts" | "connect" | "options"
> {
  return {
    controlExchange: options.controlExchange ?? "openstack",
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    remoteExceptions: options.remoteExceptions,
    nonFiniteNumbers: options.nonFiniteNumbers,
    status,
    logger,
    warnings,
    maxQueued: options.maxQueued,
    failFast: options.failFast,
    random: options.random,
    onWake: runtime.onWake,
  };
}
