import type { Socket } from "@/src/core/byte-stream.js";

/** A socket that keeps what it is sent, and takes as much as the test lets it. */
export class FakeSocket implements Socket {
  readonly id = "fake";
  readonly encrypted = false;
  readonly sent: Uint8Array[] = [];
  buffered = 0;
  isClosed = false;
  /** What `send` says. */
  takesMore = true;
  onSend: (bytes: Uint8Array) => void = () => {};

  send(bytes: Uint8Array): boolean {
    this.sent.push(Uint8Array.from(bytes));
    if (!this.takesMore) this.buffered += bytes.length;
    this.onSend(bytes);
    return this.takesMore;
  }

  close(): void {
    this.isClosed = true;
  }

  /** All that was sent, as text. */
  get text(): string {
    return Buffer.concat(this.sent).toString("latin1");
  }
}

/** Everything that was to be done at the end of the turn has been done. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
