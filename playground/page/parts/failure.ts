import { MessageDeliveryFailure, MessagingTimeout, RemoteError } from "oslo-messaging";
import { element } from "./elements.js";
import { cut } from "./json-text.js";

/** Creates a list of the members that the library adds to an error. */
export function failure(error: Error): HTMLElement {
  const list = element("dl", "facts");
  for (const [name, value] of factsOf(error)) {
    if (value !== "") list.append(element("div", "", element("dt", "", name), element("dd", "", cut(value))));
  }
  return list;
}

function factsOf(error: Error): readonly (readonly [name: string, value: string])[] {
  if (error instanceof RemoteError) {
    return [
      ["error", error.name],
      ["type", `${error.module}.${error.excType}`],
      ["message", error.value],
      ["traceback", error.traceback.join("")],
    ];
  }
  const facts: [string, string][] = [
    ["error", error.name],
    ["message", error.message],
  ];
  if (error instanceof MessageDeliveryFailure) facts.push(["outcome", error.outcome]);
  if (error instanceof MessageDeliveryFailure || error instanceof MessagingTimeout) {
    facts.push(["phase", error.phase], ["address", error.address ?? "not known yet"], ["host", error.host ?? "none"]);
  }
  return facts;
}
