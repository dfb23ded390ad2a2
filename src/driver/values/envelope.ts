import { kindOf } from "../../core/kinds.js";
import { MessagingException } from "../exceptions.js";
import { fromJson, isJsonObject, type NonFiniteNumbers } from "./json.js";
import { isCompatible, isVersion } from "./version.js";

/** The envelope (oslo_messaging/_drivers/common.py). */
const VERSION = "oslo.version";
const MESSAGE = "oslo.message";
const ENVELOPE_VERSION = "2.0";

/** The envelope of version 2.0 around a message, which is JSON text. */
export function envelopeOf(message: string): object {
  return { [VERSION]: ENVELOPE_VERSION, [MESSAGE]: message };
}

/**
 * The message in an envelope. A value without the members of an envelope is the message itself, as in version 1.
 *
 * @throws MessagingException for an envelope of an incompatible version, and a message that cannot be read.
 */
export function openEnvelope(value: unknown, nonFinite: NonFiniteNumbers | undefined): unknown {
  if (!isJsonObject(value) || !Object.hasOwn(value, VERSION) || !Object.hasOwn(value, MESSAGE)) return value;
  const { [VERSION]: version, [MESSAGE]: message } = value;
  if (typeof version !== "string" || !isVersion(version) || !isCompatible(ENVELOPE_VERSION, version)) {
    const given = typeof version === "string" ? version.slice(0, 40) : kindOf(version);
    throw new MessagingException(`Specified RPC envelope version, ${given}, not supported by this endpoint.`);
  }
  if (typeof message !== "string") throw new MessagingException(`"${MESSAGE}" is not JSON text but ${kindOf(message)}`);
  return fromJson(message, `"${MESSAGE}"`, nonFinite);
}

/**
 * Parses a JSON object.
 *
 * @param source name of the thing that holds the text, for errors.
 * @throws MessagingException for any other text.
 */
export function parseObject(
  text: string,
  source: string,
  nonFinite: NonFiniteNumbers | undefined,
): Record<string, unknown> {
  const value = fromJson(text, source, nonFinite);
  if (isJsonObject(value)) return value;
  throw new MessagingException(`${source} is not a JSON object but ${kindOf(value)}`);
}
