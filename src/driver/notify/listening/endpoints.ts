import { isJsonObject } from "../../values/json.js";
import { type NotificationResult, PRIORITIES, type Priority } from "../notification.js";
import { NotificationFilter } from "./filter.js";

/** Return type of a handler. `Nothing` is the return type of a handler without a result. */
export type Handled<Nothing> = NotificationResult | Nothing | Promise<NotificationResult | Nothing>;

/** An object with a method for each priority that it handles, and an optional filter. */
export type Endpoint<Handler> = { readonly filterRule?: NotificationFilter | undefined } & {
  [P in Priority]?: Handler | undefined;
};

/**
 * The priorities that at least one of the endpoints handles.
 *
 * @throws TypeError for an invalid endpoint.
 */
export function prioritiesOf(endpoints: readonly Endpoint<unknown>[]): readonly Priority[] {
  for (const [index, endpoint] of endpoints.entries()) check(endpoint, index);
  return PRIORITIES.filter((priority) => endpoints.some((endpoint) => endpoint[priority] !== undefined));
}

function check(endpoint: unknown, index: number): void {
  if (!isJsonObject(endpoint)) throw new TypeError(`endpoint ${index} is not an object`);
  for (const priority of PRIORITIES) {
    const handler = endpoint[priority];
    if (handler !== undefined && typeof handler !== "function") {
      throw new TypeError(`${priority} of endpoint ${index} must be a function`);
    }
  }
  if (endpoint["filterRule"] !== undefined && !(endpoint["filterRule"] instanceof NotificationFilter)) {
    throw new TypeError(`filterRule of endpoint ${index} must be a NotificationFilter`);
  }
}
