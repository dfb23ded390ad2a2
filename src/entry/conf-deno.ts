import type { Conf, ConfSources } from "../conf/conf.js";
import { loadConfBy } from "./conf-loader.js";

export * from "./conf-names.js";

export async function loadConf(path: string, { url }: Pick<ConfSources, "url"> = {}): Promise<Conf> {
  return loadConfBy((name) => Deno.readTextFileSync(name), path, url);
}
