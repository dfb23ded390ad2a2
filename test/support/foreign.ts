import type { IntermediaryKind } from "@/src/intermediary/address-table.js";
import type { Abilities, Bus, BusAddressing, BusPlan, Scheme } from "./bus.js";

/** An intermediary of OSLO_MESSAGING_TEST_URL, with what it was found to do: see foreign-intermediaries.ts. */
export interface Foreign {
  /** Its product and host, for titles. */
  name: string;
  url: string;
  scheme: Scheme;
  kind: IntermediaryKind;
  addressing: BusAddressing;
  abilities: Abilities;
}

declare module "vitest" {
  interface ProvidedContext {
    /** Absent but in `npm run test:intermediary`. */
    foreign?: readonly Foreign[] | undefined;
  }
}

/** It runs already, and goes on. */
export function foreignPlan({ url, scheme, ...plan }: Foreign): BusPlan {
  const close = async (): Promise<void> => {};
  const bus: Bus = {
    url: (_scheme, options = {}) => withOptions(url, options),
    dialers: {},
    close,
    [Symbol.asyncDispose]: close,
  };
  return { ...plan, schemes: [scheme], start: async () => bus };
}

function withOptions(url: string, options: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(options).toString();
  return query === "" ? url : `${url}${url.includes("?") ? "&" : "?"}${query}`;
}
