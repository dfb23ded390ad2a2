import { randomUUID } from "node:crypto";

/** A topic that nobody else uses: a broker keeps what other tests have left. */
export function uniqueTopic(name: string): string {
  return `${name}-${randomUUID()}`;
}
