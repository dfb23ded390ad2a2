import { RECIPE_OF_PRODUCT } from "../../recipes/recipes.js";

/** The oldest version that the deployment guide takes, by the `product` in the peer's Open. */
const OLDEST: ReadonlyMap<string, string> = new Map([
  ["qpid-dispatch-router", "0.8.0"],
  ["qpid-cpp", "0.34"],
]);

/** A warning for a product that is too old. A version that is none of numbers says nothing. */
export function warningOnVersion(product: string | undefined, version: string | undefined): string | undefined {
  const oldest = OLDEST.get(product ?? "");
  if (oldest === undefined || version === undefined || !isOlder(numbers(version), numbers(oldest))) return undefined;
  const name = RECIPE_OF_PRODUCT.get(product ?? "");
  return `${product} ${version} is too old: the driver needs at least ${name} ${oldest}`;
}

function numbers(version: string): readonly number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? "").split(".").map(Number);
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  if (version[0] === undefined || Number.isNaN(version[0])) return false;
  for (const [index, least] of than.entries()) {
    const part = version[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
