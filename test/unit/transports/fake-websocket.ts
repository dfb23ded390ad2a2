interface FakeEvent {
  data: unknown;
  code: number;
  reason: string;
  message?: string;
}

type Listener = (event: FakeEvent) => void;

/** What a browser's WebSocket shows of itself, moved by the test. */
export class FakeWebSocket {
  readonly url: string;
  readonly protocols: string[];
  binaryType = "blob";
  readyState = 0;
  protocol = "";
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  readonly closings: (number | undefined)[] = [];
  readonly #listeners: [type: string, listener: Listener][] = [];

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }

  send(data: Uint8Array): void {
    this.sent.push(data);
    this.bufferedAmount += data.length;
  }

  close(code?: number): void {
    this.closings.push(code);
    this.readyState = 2;
  }

  opens(protocol = "amqp"): void {
    this.readyState = 1;
    this.protocol = protocol;
    this.#tell("open", {});
  }

  receives(data: unknown): void {
    this.#tell("message", { data });
  }

  fails(event: { message?: string } = {}): void {
    this.#tell("error", event);
  }

  closes(code: number, reason = ""): void {
    this.readyState = 3;
    this.#tell("close", { code, reason });
  }

  #tell(told: string, event: Partial<FakeEvent>): void {
    for (const [type, listener] of this.#listeners) {
      if (type === told) listener({ data: undefined, code: 0, reason: "", ...event });
    }
  }
}
