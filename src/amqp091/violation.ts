import { Amqp091Error } from "./errors.js";

/** The peer violated AMQP 0-9-1. The connection is closed with this error. */
export function violation(code: number, text: string): Amqp091Error {
  return new Amqp091Error({ code, text });
}
