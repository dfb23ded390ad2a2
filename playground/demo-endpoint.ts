import { BuiltinEndpoint } from "../src/cli/builtin-endpoint.js";

/** What a server of the topic `demo` can do: all of the command `serve`, and `add`. */
export class DemoEndpoint extends BuiltinEndpoint {
  /** @param onNote Gets who was told what, for everybody to see where a cast went. */
  constructor(server: string, onNote: (payload: { server: string; note: unknown }) => void) {
    super(server, (note) => onNote({ server, note }));
  }

  add(_context: object, { a, b }: { a: number; b: number }): number {
    if (typeof a !== "number" || typeof b !== "number") throw new TypeError("a and b must be numbers");
    return a + b;
  }
}
