/** One contender: an echo server and a client that calls it, each in a process of its own. */
export interface Contender {
  /** Starts serving `where`, and says where the client is to call. */
  serve(where: string): Promise<string>;
  /** Connects; each call of what it gives is one echo, and resolves when the answer has been checked. */
  connect(where: string): Promise<() => Promise<void>>;
}

const PAYLOAD = "x".repeat(1000);

/** The request of 1 KB that every contender sends, as the driver words it. */
export function request(): string {
  return JSON.stringify({ request: { method: "echo", args: { arg: PAYLOAD } }, context: {} });
}

/** What a server answers to it. */
export function reply(text: string): string {
  const { request } = JSON.parse(text) as { request: { args: { arg: string } } };
  return JSON.stringify({ response: request.args.arg });
}

/** Fails unless it is the answer. */
export function check(text: string): void {
  const { response } = JSON.parse(text) as { response: unknown };
  checkValue(response);
}

export function checkValue(value: unknown): void {
  if (value !== PAYLOAD) throw new Error("wrong answer");
}

export const PAYLOAD_ARGS = { arg: PAYLOAD };
