import { type Conf, type ConfSources, parseConf } from "../conf/conf.js";
import { toError } from "../core/errors.js";
import { ConfigurationError } from "../driver/exceptions.js";

/**
 * Implements `loadConf` with the `readText` of a runtime, whose errors become ConfigurationErrors.
 *
 * @throws as {@link parseConf}, and ConfigurationError naming the file when it cannot be read.
 */
export function loadConfBy(readText: (path: string) => string, path: string, sources: ConfSources): Conf {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    throw new ConfigurationError(path, toError(error).message);
  }
  return parseConf(text, { ...sources, readFile: readText });
}
