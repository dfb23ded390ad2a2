import { kindOf } from "../../../core/kinds.js";
import { checkEndpoints } from "../../options/option-checks.js";
import { type NotificationResult, PRIORITIES, type Priority } from "../notification.js";
import type { NotificationFilter } from "./filter.js";

/** Return type of a handler. `Nothing` is the return type of a handler without a result. */
export type Handled<Nothing> = NotificationResult | Nothing | Promise<NotificationResult | Nothing>;

/** An object with a method for each priority that it handles, and an optional filter: a NotificationFilter. */
export type Endpoint<Handler> = { readonly filterRule?: Pick<NotificationFilter, "matches"> | undefined } & {
  [P in Priority]?: Handler | undefined;
};

/**
 * The priorities that at least one of the endpoints handles.
 *
 * @throws TypeError for an invalid endpoint.
 */
export function prioritiesOf(endpoints: readonly Endpoint<unknown>[]): readonly Priority[] {
  checkEndpoints(endpoints);
  for (const [index, endpoint] of endpoints.entries()) check(endpoint as Record<string, unknown>, index);
  return PRIORITIES.filter((priority) => endpoints.some((endpoint) => endpoint[priority] !== undefined));
}

/** Names that other libraries have for a priority. A method of such a name would never be called. */
const MISNOMERS: readonly (readonly [name: string, priority: Priority])[] = [
  ["warning", "warn"],
  ["err", "error"],
  ["fatal", "critical"],
  ["notice", "info"],
];

function check(endpoint: Readonly<Record<string, unknown>>, index: number): void {
  const refuse = (reason: string): never => {
    throw new TypeError(`endpoint ${index} ${reason}`);
  };
  for (const priority of PRIORITIES) {
    const handler = endpoint[priority];
    if (handler !== undefined && typeof handler !== "function") {
      throw new TypeError(`${priority} of endpoint ${index} must be a function, not ${kindOf(handler)}`);
    }
  }
  for (const [name, priority] of MISNOMERS) {
    if (typeof endpoint[name] === "function" && endpoint[priority] === undefined) {
      refuse(`has a method ${name}, which is no priority: use ${priority}`);
    }
  }
  if (PRIORITIES.every((priority) => endpoint[priority] === undefined)) {
    refuse(`has no method for a priority: ${PRIORITIES.join(", ")}`);
  }
  if (isFilter(endpoint["filter"]) || isFilter(endpoint["filter_rule"]))
    refuse("has a filter that is not named filterRule");
  if (endpoint["filterRule"] !== undefined && !isFilter(endpoint["filterRule"])) {
    throw new TypeError(
      `filterRule of endpoint ${index} must be a NotificationFilter, not ${kindOf(endpoint["filterRule"])}`,
    );
  }
}

/** Whether a value is a NotificationFilter, also one of a second copy of this library. */
function isFilter(value: unknown): boolean {
  return typeof Object(value).matches === "function";
}
