/** What the server in this page can do. */
export class PageEndpoint {
  readonly #server: string;
  readonly #onCall: (method: string, args: object) => void;

  constructor(server: string, onCall: (method: string, args: object) => void) {
    this.#server = server;
    this.#onCall = onCall;
  }

  echo(_context: object, args: { arg?: unknown }): unknown {
    this.#onCall("echo", args);
    return args.arg;
  }

  /** The context comes back too. */
  whoami(context: object, args: object): object {
    this.#onCall("whoami", args);
    return { server: this.#server, browser: navigator.userAgent, ctxt: context };
  }
}
