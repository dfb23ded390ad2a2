import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Conf, type ConfSources, parseConf } from "../conf/conf.js";
import { toError } from "../core/errors.js";
import { ConfigurationError } from "../driver/exceptions.js";

export * from "./conf-names.js";

/**
 * Reads a service's oslo.config file, and the files that it names: relative names are relative to the process, as in oslo.
 *
 * @throws as {@link parseConf}, and ConfigurationError naming the file when it cannot be read.
 */
export async function loadConf(path: string, { url }: Pick<ConfSources, "url"> = {}): Promise<Conf> {
  return parseConf(await textOf(path), { url, readFile: (name) => readFileSync(name, "utf8") });
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigurationError(path, toError(error).message);
  }
}
