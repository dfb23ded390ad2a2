import { Uuid } from "../../core/types/uuid.js";

/** A random UUID. Not `crypto.randomUUID`, which pages that came by plain http do not have. */
export function uuid4(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x40);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  return new Uuid(bytes).toString();
}
