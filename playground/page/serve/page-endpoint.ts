/** Endpoint of the server in this page. */
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

  /** Returns the name of the server, the browser and the context of the call. */
  whoami(context: object, args: object): object {
    this.#onCall("whoami", args);
    return { server: this.#server, browser: navigator.userAgent, ctxt: context };
  }
}
