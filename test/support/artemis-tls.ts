import { replaced } from "./artemis-files.js";
import { pemFile } from "./tls.js";

/** Where the key and the certificate are, as Artemis wants to be told. */
export const PEM_CONFIG = `source.key=${pemFile("server-key")}\nsource.cert=${pemFile("server-cert")}\n`;

/** A broker.xml whose acceptor speaks TLS instead, and lets nobody in without a certificate that our CA has signed. */
export function withTlsAcceptor(brokerXml: string, pemConfigPath: string): string {
  const options = {
    sslEnabled: "true",
    keyStoreType: "PEMCFG",
    keyStorePath: pemConfigPath,
    trustStoreType: "PEM",
    trustStorePath: pemFile("ca"),
    needClientAuth: "true",
  };
  const text = Object.entries(options).map(([name, value]) => `;${name}=${value}`);
  return replaced(brokerXml, /(<acceptor [^>]*>[^<]*)/, `$1${text.join("")}`);
}
