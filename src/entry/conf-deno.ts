import type { Conf, ConfSources } from "../conf/conf.js";
import { loadConfBy } from "./conf-loader.js";

export * from "./conf-names.js";

export async function loadConf(path: string, sources: Omit<ConfSources, "readFile"> = {}): Promise<Conf> {
  return loadConfBy((name) => Deno.readTextFileSync(name), path, sources);
}
