import type { Frame } from "oslo-messaging";
import { jsonText } from "../parts/json-text.js";

/** Returns the most important fields of a frame, by their names in the protocol; over AMQP 0-9-1 all but empty ones. */
export function frameSummary({ performative, fields }: Frame): string {
  const get = (name: string): unknown => Reflect.get(fields, name);
  const present = (...names: readonly string[]): string => {
    const texts = names.flatMap((name) => (get(name) === undefined ? [] : [`${name} ${textOf(get(name))}`]));
    return texts.join(", ");
  };
  switch (performative) {
    case "open":
      return present("containerId", "hostname", "idleTimeOut");
    case "begin":
      return present("remoteChannel", "incomingWindow", "outgoingWindow");
    case "attach":
      return `${get("role") === true ? "receiver" : "sender"} ${addressOf(get("role") === true ? get("source") : get("target"))}`;
    case "flow":
      return present("handle", "linkCredit", "deliveryCount", "incomingWindow");
    case "transfer":
      return present("handle", "deliveryId", "settled", "more", "payloadBytes");
    case "disposition":
      return present("first", "last", "settled", "state");
    case "detach":
    case "end":
    case "close":
      return present("handle", "closed", "error");
    default:
      return present(...telling(fields));
  }
}

/** Returns the names of the fields without those that are false or empty. Numbers of one channel and objects are last. */
function telling(fields: object): readonly string[] {
  const isEmpty = (value: unknown): boolean => value === false || value === "" || jsonText(value) === "{}";
  const told = Object.entries(fields).filter(([, value]) => !isEmpty(value));
  const rank = ([name, value]: [string, unknown]): number => {
    return typeof value === "object" ? 2 : name === "consumerTag" || name === "deliveryTag" ? 1 : 0;
  };
  return told.toSorted((a, b) => rank(a) - rank(b)).map(([name]) => name);
}

/** Returns the name of an outcome or an error; a click shows the other members. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const type: unknown = Reflect.get(value, "type");
  const condition: unknown = Reflect.get(value, "condition");
  return String(condition ?? type ?? jsonText(value));
}

function addressOf(terminus: unknown): string {
  if (typeof terminus !== "object" || terminus === null) return "without an address";
  if (Reflect.get(terminus, "dynamic") === true) return "of a dynamic address";
  return String(Reflect.get(terminus, "address"));
}
