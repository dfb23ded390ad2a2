import type { Address } from "../core/byte-stream.js";

/** Whether the stream to an address uses TLS: true for `amqps` and `amqp+wss`, and for any scheme with `tls`. */
export function usesTls({ scheme, tls }: Pick<Address, "scheme" | "tls">): boolean {
  return tls !== undefined || scheme === "amqps" || scheme === "amqp+wss";
}
