import { connect as connectTcp, isIP, type Socket as NetSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { authority } from "../core/authority.js";
import type { Address, Dial, Pem } from "../core/dial.js";
import { causeOf } from "./cause.js";
import { TcpSocket } from "./tcp-socket.js";

/**
 * TCP, and TLS for the scheme `amqps` or an address with `tls`, by Node. The server's certificate must be valid for the
 * hostname. Rejects with "cannot connect to host:port: cause" and Node's error as `cause`.
 */
export const tcpDial: Dial = async (to, on, signal) => {
  signal.throwIfAborted();
  const encrypted = to.scheme === "amqps" || to.tls !== undefined;
  const stream = open(to, encrypted);
  return await new Promise((resolve, reject) => {
    const abort = (): void => {
      stream.destroy();
      reject(signal.reason);
    };
    const refuse = (error: unknown): void => {
      signal.removeEventListener("abort", abort);
      reject(cannotConnect(to, error));
    };
    signal.addEventListener("abort", abort, { once: true });
    stream.once("error", refuse);
    stream.once(encrypted ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", abort);
      stream.off("error", refuse);
      const local = authority({ hostname: stream.localAddress ?? "", port: stream.localPort ?? 0 });
      resolve(new TcpSocket(stream, `${encrypted ? "tls" : "tcp"} ${local} to ${authority(to)}`, () => on));
    });
  });
};

function open(to: Address, encrypted: boolean): NetSocket {
  try {
    return encrypted ? openTls(to) : connectTcp({ host: to.hostname, port: to.port });
  } catch (error) {
    // A port or a PEM document that cannot be.
    throw cannotConnect(to, error);
  }
}

function cannotConnect(to: Address, cause: unknown): Error {
  return new Error(`cannot connect to ${authority(to)}: ${causeOf(cause)}`, { cause });
}

function openTls({ hostname, port, tls }: Address): NetSocket {
  return connectTls({
    host: hostname,
    port,
    // TLS has no server names for IP addresses; the certificate is checked against `host` then.
    servername: isIP(hostname) === 0 ? hostname : "",
    ca: tls?.ca === undefined ? undefined : pemsOf(tls.ca),
    cert: tls?.cert === undefined ? undefined : nodePem(tls.cert),
    key: tls?.key === undefined ? undefined : nodePem(tls.key),
    passphrase: tls?.passphrase,
  });
}

function pemsOf(pems: Pem | readonly Pem[]): (string | Buffer)[] {
  return typeof pems === "string" || pems instanceof Uint8Array ? [nodePem(pems)] : pems.map(nodePem);
}

function nodePem(pem: Pem): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}
