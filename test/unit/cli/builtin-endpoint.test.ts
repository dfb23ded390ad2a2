import { describe, expect, it } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { Target } from "@/src/entry/node.js";

const call = { signal: new AbortController().signal, messageId: undefined, target: new Target() };

describe("the built-in endpoint", () => {
  it("the built-in endpoint echoes its argument, and names its server", () => {
    const endpoint = new BuiltinEndpoint("server-1", () => {});
    expect(endpoint.echo({}, { arg: [1, null] })).toEqual([1, null]);
    expect(endpoint.ping()).toBe("pong from server-1");
    expect(endpoint.whoami({ user: "u" })).toEqual({ server: "server-1", ctxt: { user: "u" } });
  });

  it("the built-in endpoint counts notes, and passes them on", () => {
    const notes: unknown[] = [];
    const endpoint = new BuiltinEndpoint("server-1", (note) => notes.push(note));
    expect(endpoint.counts()).toEqual({ server: "server-1", notes: 0, last: null });
    endpoint.note({}, { arg: "a" });
    endpoint.note({}, { arg: "b" });
    expect(endpoint.counts()).toEqual({ server: "server-1", notes: 2, last: "b" });
    expect(notes).toEqual(["a", "b"]);
  });

  it.each([
    [{}, "ValueError", "bad value é"],
    [{ kind: "custom" }, "PeerError", "custom trouble"],
    [{ kind: "other" }, "RuntimeError", "unknown kind other"],
  ])("the built-in method fail(%o) throws a %s", (args, name, message) => {
    const endpoint = new BuiltinEndpoint("server-1", () => {});
    expect(() => endpoint.fail({}, args)).toThrow(expect.objectContaining({ name, message }));
  });

  it("the built-in method slow sleeps, and ends when the caller's connection is lost", async () => {
    const endpoint = new BuiltinEndpoint("server-1", () => {});
    expect(await endpoint.slow({}, { secs: 0.001 }, call)).toBe("slept 0.001");
    const gone = AbortSignal.abort();
    await expect(endpoint.slow({}, { secs: 60 }, { ...call, signal: gone })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  it.each([-1, Number.NaN, "1", null])("the built-in method slow refuses %o seconds", async (secs) => {
    const endpoint = new BuiltinEndpoint("server-1", () => {});
    await expect(endpoint.slow({}, { secs: secs as number }, call)).rejects.toThrow("secs must be a number of seconds");
  });
});
