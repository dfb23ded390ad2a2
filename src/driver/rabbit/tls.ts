import type { TLSOptions } from "../../core/byte-stream.js";
import { ConfigurationError } from "../exceptions.js";
import { type TlsSources, tlsOf } from "../options/tls.js";

/**
 * The TLS options of a transport; undefined disables TLS. TLS is enabled by `rabbit+wss`, by ssl and by `tls` in code, not by
 * ssl_ca_file and ssl_cert_file: these files are read only with TLS, as in oslo (impl_rabbit.py, `Connection.__init__`).
 *
 * @throws ConfigurationError as tlsOf, and for `verifyVirtualHost`.
 */
export function rabbitTls(sources: TlsSources): TLSOptions | undefined {
  const { scheme, texts, code } = sources;
  if (code?.verifyVirtualHost) throw new ConfigurationError("tls.verifyVirtualHost", "only supported by amqp://");
  const isEnabled = scheme === "rabbit+wss" || (texts.ssl ?? code !== undefined);
  return isEnabled ? tlsOf({ ...sources, texts: { ...texts, ssl: texts.ssl ?? true } }) : undefined;
}
