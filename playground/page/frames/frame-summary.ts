import type { Frame } from "oslo-messaging";
import { jsonText } from "../parts/json-text.js";

/** What matters of a frame, in a few words of the protocol. */
export function frameSummary({ performative, fields }: Frame): string {
  const get = (name: string): unknown => Reflect.get(fields, name);
  const told = (...names: readonly string[]): string => {
    const present = names.flatMap((name) => (get(name) === undefined ? [] : [`${name} ${textOf(get(name))}`]));
    return present.join(", ");
  };
  switch (performative) {
    case "open":
      return told("containerId", "hostname", "idleTimeOut");
    case "begin":
      return told("remoteChannel", "incomingWindow", "outgoingWindow");
    case "attach":
      return `${get("role") === true ? "receiver" : "sender"} ${addressOf(get("role") === true ? get("source") : get("target"))}`;
    case "flow":
      return told("handle", "linkCredit", "deliveryCount", "incomingWindow");
    case "transfer":
      return told("handle", "deliveryId", "settled", "more", "payloadBytes");
    case "disposition":
      return told("first", "last", "settled", "state");
    case "detach":
    case "end":
    case "close":
      return told("handle", "closed", "error");
    default:
      return Object.keys(fields).length === 0 ? "" : jsonText(fields);
  }
}

/** Of an outcome or an error its name, which says it all but for what a click shows. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const type: unknown = Reflect.get(value, "type");
  const condition: unknown = Reflect.get(value, "condition");
  return String(condition ?? type ?? jsonText(value));
}

function addressOf(terminus: unknown): string {
  if (typeof terminus !== "object" || terminus === null) return "of no address";
  if (Reflect.get(terminus, "dynamic") === true) return "of an address that the peer makes up";
  return String(Reflect.get(terminus, "address"));
}
