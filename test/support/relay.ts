import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket as NetSocket, type Server } from "node:net";
import { Transform, type TransformCallback } from "node:stream";

/** The network of a test: passes bytes on, both ways, from one port of 127.0.0.1 to another. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #streams = new Set<NetSocket>();
  #port = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;

  constructor(to: number) {
    this.#server = createServer((inbound) => {
      const outbound = connect(to, "127.0.0.1");
      inbound.pipe(new Brake(() => this.#bytesPerSecond)).pipe(outbound);
      outbound.pipe(inbound);
      this.#join(inbound, outbound);
      this.#join(outbound, inbound);
    });
  }

  /** Where it listens, or last did. */
  get port(): number {
    return this.#port;
  }

  /** From now on, at any free port unless told; after a cut at the one it had. */
  async listen(port = this.#port): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** From now on not a byte passes on the streams that there are, and they stay open: as when the cable is out. */
  freeze(): void {
    for (const stream of this.#streams) stream.unpipe().pause();
  }

  /** How much of what clients send passes in a second, on each stream. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Cuts all streams, and listens no longer. */
  async cut(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const stream of this.#streams) stream.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  #join(from: NetSocket, to: NetSocket): void {
    this.#streams.add(from);
    from.setNoDelay(true);
    from.on("error", () => {}); // its "close" follows
    from.on("close", () => {
      this.#streams.delete(from);
      to.destroy();
    });
  }
}

/** Holds every chunk back for as long as it takes at this speed. */
class Brake extends Transform {
  readonly #bytesPerSecond: () => number;

  constructor(bytesPerSecond: () => number) {
    super();
    this.#bytesPerSecond = bytesPerSecond;
  }

  override _transform(bytes: Buffer, _encoding: BufferEncoding, passed: TransformCallback): void {
    const ms = (bytes.length * 1000) / this.#bytesPerSecond();
    if (ms === 0) passed(null, bytes);
    else setTimeout(passed, ms, null, bytes);
  }
}
