import type { Conf } from "../conf/conf.js";
import { ConfigurationError } from "../driver/exceptions.js";

export * from "./conf-names.js";

/**
 * Not available: this runtime has no files. Fetch the text and pass it to {@link parseConf}.
 *
 * @throws ConfigurationError always.
 */
export async function loadConf(path: string): Promise<Conf> {
  throw new ConfigurationError(path, "cannot be read: this runtime has no files; pass its text to parseConf");
}
