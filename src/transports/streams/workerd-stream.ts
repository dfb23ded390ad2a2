import { connect, type WorkerSocket } from "cloudflare:sockets";
import { authority } from "../../core/authority.js";
import type { Address } from "../../core/byte-stream.js";
import { usesTls } from "../scheme.js";
import { workerErrorText } from "../worker-error-text.js";
import { type ByteStream, streamDial } from "./stream.js";

/** Dials TCP and TLS in workers. Trusted CAs and client certificates are the runtime's. */
export const workerdDial = streamDial({ supportedTlsOptions: [], open, errorText: workerErrorText });

async function open(to: Address): Promise<ByteStream> {
  const { hostname, port } = to;
  const secureTransport = usesTls(to) ? "on" : "off";
  const socket = connect({ hostname, port }, { secureTransport, allowHalfOpen: true });
  // `closed` rejects in addition to the failed operation, which reports the error.
  socket.closed.catch(() => {});
  await socket.opened;
  return new WorkerStream(socket, authority(to));
}

class WorkerStream implements ByteStream {
  readonly route: string;
  readonly #socket: WorkerSocket;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(socket: WorkerSocket, to: string) {
    this.route = `to ${to}`;
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
    this.#writer.closed.catch(() => {}); // as `closed` of the socket
    this.#reader.closed.catch(() => {});
  }

  async read(): Promise<Uint8Array | undefined> {
    return (await this.#reader.read()).value;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
  }

  async end(): Promise<void> {
    await this.#writer.close();
  }

  cut(): void {
    this.#socket.close().catch(() => {});
  }
}
