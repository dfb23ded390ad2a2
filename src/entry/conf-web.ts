import type { Conf } from "../conf/conf.js";
import { ConfigurationError } from "../driver/exceptions.js";

export * from "./conf-names.js";

/** There are no files here. @throws ConfigurationError always: fetch the text, and give it to parseConf. */
export async function loadConf(path: string): Promise<Conf> {
  throw new ConfigurationError(path, "there are no files here to read it from: give its text to parseConf");
}
