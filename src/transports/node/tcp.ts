import { connect as connectTcp, type Socket as NetSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { offAbort, onAbort } from "../../core/abort.js";
import { authority } from "../../core/authority.js";
import type { Address, Dial } from "../../core/byte-stream.js";
import { usesTls } from "../scheme.js";
import { dialErrorText } from "../tls-error-text.js";
import { TcpSocket } from "./tcp-socket.js";
import { tlsClientOptions } from "./tls-client.js";

/**
 * Dials TCP with Node, and TLS for the scheme `amqps` or an address with `tls`. Rejects with
 * "cannot connect to host:port: cause" and Node's error as `cause`.
 */
export const tcpDial: Dial = (to, handlers, signal) =>
  connectStream(to, signal, (stream, id) => new TcpSocket(stream, { id, to }, () => handlers));

/** As `tcpDial`. `onConnect` is called with the connected stream, before its first byte, and the stream's name in logs. */
export async function connectStream<T>(
  to: Address,
  signal: AbortSignal,
  onConnect: (stream: NetSocket, id: string) => T,
): Promise<T> {
  signal.throwIfAborted();
  const encrypted = usesTls(to);
  const stream = open(to, encrypted);
  return await new Promise((resolve, reject) => {
    const abort = (): void => {
      stream.destroy();
      reject(signal.reason);
    };
    const refuse = (error: unknown): void => {
      offAbort(signal, abort);
      reject(cannotConnect(to, error));
    };
    onAbort(signal, abort);
    stream.once("error", refuse);
    stream.once(encrypted ? "secureConnect" : "connect", () => {
      offAbort(signal, abort);
      stream.off("error", refuse);
      const local = authority({ hostname: stream.localAddress ?? "", port: stream.localPort ?? 0 });
      resolve(onConnect(stream, `${encrypted ? "tls" : "tcp"} ${local} to ${authority(to)}`));
    });
  });
}

function open(to: Address, encrypted: boolean): NetSocket {
  const { hostname: host, port } = to;
  try {
    return encrypted ? connectTls({ host, port, ...tlsClientOptions(to) }) : connectTcp({ host, port });
  } catch (error) {
    // Node throws for an invalid port, `tlsClientOptions` for an invalid PEM document.
    throw cannotConnect(to, error);
  }
}

function cannotConnect(to: Address, cause: unknown): Error {
  return new Error(`cannot connect to ${authority(to)}: ${dialErrorText(cause, to)}`, { cause });
}
