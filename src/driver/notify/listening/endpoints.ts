import { isJsonObject } from "../../values/json.js";
import { type NotificationResult, PRIORITIES, type Priority } from "../notification.js";
import { NotificationFilter } from "./filter.js";

/** `Nothing`: what a handler returns that has nothing to say. */
export type Handled<Nothing> = NotificationResult | Nothing | Promise<NotificationResult | Nothing>;

/** An object with a method for every priority that it handles, and perhaps a filter. */
export type Endpoint<Handler> = { readonly filterRule?: NotificationFilter | undefined } & {
  [P in Priority]?: Handler | undefined;
};

/**
 * The priorities that an endpoint handles.
 *
 * @throws TypeError for an endpoint that is none.
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
