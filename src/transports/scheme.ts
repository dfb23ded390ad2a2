import type { Address } from "../core/byte-stream.js";

/** Whether the stream to an address is to be encrypted: `amqps` and `amqp+wss`, and any other scheme with `tls`. */
export function usesTls({ scheme, tls }: Pick<Address, "scheme" | "tls">): boolean {
  return tls !== undefined || scheme === "amqps" || scheme === "amqp+wss";
}
