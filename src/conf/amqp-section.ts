import type { TLSOptions } from "../core/byte-stream.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { type AmqpOptions, type ResolvedOptions, ROWS } from "../driver/options/option-table.js";
import { parseOptions } from "../driver/options/options.js";
import { type ReadFile, type SslTexts, tlsOf } from "../driver/options/tls.js";
import type { TransportURL } from "../driver/options/transport-url.js";
import { AMQP, AMQP_FORMERLY } from "./known-options.js";
import type { OptionFile } from "./option-file.js";

/** What `[oslo_messaging_amqp]` says. */
export interface AmqpSection {
  readonly amqp: AmqpOptions;
  readonly ssl: SslTexts;
  readonly wsPath: string | undefined;
}

/** @throws ConfigurationError naming group and key. */
export function amqpSection(file: OptionFile): AmqpSection {
  const overridden = new Set(file.keys(AMQP));
  const parsed = { ...optionsIn(AMQP_FORMERLY, file, overridden), ...optionsIn(AMQP, file) };
  const { wsPath, ssl, sslCaFile, sslCertFile, sslKeyFile, sslKeyPassword, sslVerifyVhost, ...amqp } = parsed;
  return { amqp, wsPath, ssl: { ssl, sslCaFile, sslCertFile, sslKeyFile, sslKeyPassword, sslVerifyVhost } };
}

/** `pre_settled` may be repeated; of the others the last one counts. */
function optionsIn(
  group: string,
  file: OptionFile,
  passedOver: ReadonlySet<string> = new Set(),
): Partial<ResolvedOptions> {
  const texts = ROWS.flatMap(([, { name }]) => {
    const values = passedOver.has(name) ? [] : file.texts([group, name]);
    if (values.length === 0) return [];
    return [[name, name === "pre_settled" ? values.join(",") : (values.at(-1) ?? "")] as const];
  });
  return inGroup(group, () => parseOptions(Object.fromEntries(texts)));
}

/** TLS as the file and the URL's query want it. Of what only the query says the transport knows itself. */
export function tlsFor(url: TransportURL, ssl: SslTexts, readFile: ReadFile | undefined): TLSOptions | undefined {
  const given = Object.entries(ssl).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const names = new Set(ROWS.map(([, { name }]) => name).filter((name) => name.startsWith("ssl")));
  const query = parseOptions(Object.fromEntries(Object.entries(url.query).filter(([name]) => names.has(name))));
  const texts = { ...Object.fromEntries(given), ...query };
  return inGroup(AMQP, () =>
    tlsOf({ scheme: url.scheme, texts, code: undefined, readFile, supportedTlsOptions: undefined }),
  );
}

/** An error names its group too. */
function inGroup<T>(group: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`[${group}] ${error.key}`, error.message.slice(`${error.key}: `.length));
  }
}
