import { BuiltinEndpoint } from "../src/cli/builtin-endpoint.js";

/** Endpoint of a server on topic `demo`: the methods of the command `serve`, and `add`. */
export class DemoEndpoint extends BuiltinEndpoint {
  /** @param onNote Called for each note with the name of the server that received it, which shows where a cast went. */
  constructor(server: string, onNote: (payload: { server: string; note: unknown }) => void) {
    super(server, (note) => onNote({ server, note }));
  }

  add(_context: object, { a, b }: { a: number; b: number }): number {
    if (typeof a !== "number" || typeof b !== "number") throw new TypeError("a and b must be numbers");
    return a + b;
  }
}
