import { ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED } from "../../amqp091/reply-codes.js";
import { MessagingException } from "../exceptions.js";
import { permissionText } from "./declaration-refused.js";
import type { Publishing } from "./publishing.js";
import { isRefusal, type Refusal } from "./refusal.js";

/** The messages that closed a channel. */
export interface Culprits {
  readonly messages: ReadonlySet<Publishing>;
  /** The error of these messages. */
  readonly error: Error;
  /** Whether their exchange does not exist. */
  readonly isMissing: boolean;
}

/**
 * Finds the messages in flight that an error of their channel is about. The error has no delivery tag: it names an exchange or
 * a size. Undefined when any of the messages may be meant.
 */
export function culpritsOf(error: Error | undefined, inFlight: readonly Publishing[]): Culprits | undefined {
  if (error === undefined) return undefined;
  const culprits = (messages: readonly Publishing[], isMissing = false, cause = error): Culprits | undefined =>
    messages.length === 0 ? undefined : { messages: new Set(messages), error: cause, isMissing };
  const named = isRefusal(error) ? namedBy(error, inFlight) : [];
  const code = isRefusal(error) ? error.code : 0;
  const alone = inFlight.length === 1 ? inFlight : [];
  if (code === NOT_FOUND) {
    const declared = inFlight.filter(({ route }) => route.declaration !== undefined);
    return culprits(named, true) ?? culprits(declared, true) ?? culprits(alone);
  }
  return culprits(named, false, explained(error, named[0])) ?? culprits(alone);
}

function namedBy({ code, text }: Refusal, inFlight: readonly Publishing[]): readonly Publishing[] {
  if (code === PRECONDITION_FAILED) {
    const [, size] = /message size (\d+) is larger than/.exec(text) ?? [];
    return size === undefined ? [] : inFlight.filter(({ message }) => message.body.length === Number(size));
  }
  if (code !== NOT_FOUND && code !== ACCESS_REFUSED) return [];
  const isTopic = text.includes("to topic '");
  return inFlight.filter(
    ({ route: { exchange, routingKey } }) =>
      text.includes(`exchange '${exchange || "amq.default"}'`) && (!isTopic || text.includes(`topic '${routingKey}'`)),
  );
}

function explained(error: Error, culprit: Publishing | undefined): Error {
  if (!isRefusal(error) || error.code !== ACCESS_REFUSED || culprit === undefined) return error;
  if (!error.text.includes("access to ")) return error;
  const { exchange: name } = culprit.route;
  const exchange = name === "" ? "the default exchange" : `exchange ${name}`;
  return new MessagingException(permissionText("write", exchange, error), { cause: error });
}
