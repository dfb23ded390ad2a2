import { MessageDeliveryFailure, MessagingTimeout, RemoteError } from "oslo-messaging";
import { element } from "./elements.js";
import { cut } from "./json-text.js";

/** Creates a list of the members that the library adds to an error. */
export function failure(error: Error): HTMLElement {
  const list = element("dl", "facts");
  const add = (name: string, content: Node | string): void => {
    list.append(element("div", "", element("dt", "", name), element("dd", "", content)));
  };
  for (const [name, value] of factsOf(error)) if (value !== "") add(name, cut(value));
  if (error instanceof RemoteError && error.traceback.length > 0) {
    const summary = element("summary", "", "of the server");
    add("traceback", element("details", "", summary, cut(error.traceback.join(""))));
  }
  return list;
}

function factsOf(error: Error): readonly (readonly [name: string, value: string])[] {
  if (error instanceof RemoteError) {
    return [
      ["error", error.name],
      ["type", `${error.module}.${error.excType}`],
      ["message", error.value],
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
