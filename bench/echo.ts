/** An echo server and a client that calls it, each in its own process. */
export interface Contender {
  /** Starts the server. `address` is the intermediary's URL, empty if peer to peer. Resolves with the client's address. */
  serve(address: string): Promise<string>;
  /** Connects the client. Each call of the resulting function is one echo; it resolves when the reply has been checked. */
  connect(address: string): Promise<() => Promise<void>>;
}

const PAYLOAD = "x".repeat(1000);

/** Returns the request of 1 KB that each contender sends, in the driver's format. */
export function request(): string {
  return JSON.stringify({ request: { method: "echo", args: { arg: PAYLOAD } }, context: {} });
}

/** Returns a server's reply to the request. */
export function reply(text: string): string {
  const { request } = JSON.parse(text) as { request: { args: { arg: string } } };
  return JSON.stringify({ response: request.args.arg });
}

/** @throws Error when the text is not the expected reply. */
export function check(text: string): void {
  const { response } = JSON.parse(text) as { response: unknown };
  checkValue(response);
}

export function checkValue(value: unknown): void {
  if (value !== PAYLOAD) throw new Error("wrong reply");
}

export const PAYLOAD_ARGS = { arg: PAYLOAD };
