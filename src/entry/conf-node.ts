import { readFileSync } from "node:fs";
import type { Conf, ConfSources } from "../conf/conf.js";
import { loadConfBy } from "./conf-loader.js";

export * from "./conf-names.js";

/**
 * Reads a service's oslo.config file and the files that it names. Relative names are resolved against the working directory of
 * the process, as in oslo.
 *
 * @throws as {@link parseConf}, and ConfigurationError naming the file when it cannot be read.
 */
export async function loadConf(path: string, sources: Omit<ConfSources, "readFile"> = {}): Promise<Conf> {
  return loadConfBy((name) => readFileSync(name, "utf8"), path, sources);
}
