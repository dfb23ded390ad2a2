import type { Accept, Socket, SocketHandlers } from "@/src/core/byte-stream.js";

/** One end of a stream in a test: records what it is told, and waits for it. */
export class Probe implements SocketHandlers {
  readonly chunks: Uint8Array[] = [];
  received = 0;
  drains = 0;
  readonly closes: (Error | undefined)[] = [];
  /** What was told after the close: nothing, ever. */
  readonly late: string[] = [];
  readonly #waiters = new Set<() => void>();
  /** What else to do with what comes. */
  onData: ((bytes: Uint8Array) => void) | undefined;
  onDrain: (() => void) | undefined;

  data(bytes: Uint8Array): void {
    if (this.closes.length > 0) this.late.push(`data of ${bytes.length} bytes`);
    this.chunks.push(bytes);
    this.received += bytes.length;
    this.onData?.(bytes);
    this.#tell();
  }

  drain(): void {
    if (this.closes.length > 0) this.late.push("drain");
    this.drains += 1;
    this.onDrain?.();
    this.#tell();
  }

  close(error?: Error): void {
    if (this.closes.length > 0) this.late.push("close");
    this.closes.push(error);
    this.#tell();
  }

  get closed(): boolean {
    return this.closes.length > 0;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  /** Resolves as soon as something told makes it true. */
  until(condition: (probe: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition(this)) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }

  #tell(): void {
    for (const check of this.#waiters) check();
  }
}

/** What comes in by a listener, one after the other. */
export class Arrivals {
  readonly #ready: { socket: Socket; probe: Probe }[] = [];
  readonly #waiting: ((arrival: { socket: Socket; probe: Probe }) => void)[] = [];
  count = 0;
  /** Done within accept, before the handlers are returned. */
  greet: ((socket: Socket, probe: Probe) => void) | undefined;

  readonly accept: Accept = (socket) => {
    const arrival = { socket, probe: new Probe() };
    this.count += 1;
    this.greet?.(socket, arrival.probe);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#ready.push(arrival);
    else waiting(arrival);
    return arrival.probe;
  };

  next(): Promise<{ socket: Socket; probe: Probe }> {
    const arrival = this.#ready.shift();
    if (arrival !== undefined) return Promise.resolve(arrival);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Bytes that tell when some are lost, doubled or in another order. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16) * 13) & 0xff;
  return bytes;
}

/** Sends pieces, and waits for `drain` whenever it is asked to. */
export async function pump(socket: Socket, probe: Probe, bytes: Uint8Array, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const { drains } = probe;
    if (!socket.send(bytes.subarray(at, at + pieceBytes))) await probe.until((p) => p.drains > drains || p.closed);
  }
}
