import { describe, expect, expectTypeOf, it } from "vitest";
import { InvalidTarget } from "@/src/driver/exceptions.js";
import { Target, type TargetInit, toTarget } from "@/src/driver/target.js";

const FULL = { exchange: "x", topic: "t", namespace: "n", version: "1.0", server: "s", fanout: true };

describe("a target", () => {
  it("has its members, and undefined or false for the others", () => {
    expect(new Target(FULL)).toMatchObject(FULL);
    const { exchange, topic, namespace, version, server, fanout } = new Target();
    expect([exchange, topic, namespace, version, server, fanout]).toEqual([...Array(5).fill(undefined), false]);
  });

  it("accepts its namespace and the legacy ones", () => {
    expect(new Target().acceptedNamespaces).toEqual([undefined]);
    expect(new Target({ namespace: "n", legacyNamespaces: ["a", "b"] }).acceptedNamespaces).toEqual(["n", "a", "b"]);
  });

  it("prints as in Python, without what is empty", () => {
    expect(`${new Target(FULL)}`).toBe("<Target exchange=x, topic=t, namespace=n, version=1.0, server=s, fanout=True>");
    expect(`${new Target({ topic: "t", server: "", fanout: false })}`).toBe("<Target topic=t>");
    expect(`${new Target()}`).toBe("<Target >");
  });

  it.each([
    [{ topic: 5 }, "topic must be a string, not number"],
    [{ server: null }, "server must be a string, not null"],
    [{ fanout: "yes" }, "fanout must be a boolean, not string"],
  ])("refuses %j", (init, message) => {
    const make = () => new Target(init as object);
    expect(make).toThrow(InvalidTarget);
    expect(make).toThrow(message);
  });
});

describe("a copy", () => {
  const target = new Target({ ...FULL, legacyNamespaces: ["old"] });

  it("inherits what is absent or undefined, takes what is given, clears what is null", () => {
    const copy = target.with({ server: null, exchange: undefined, topic: "other", fanout: null });
    expect(copy).toMatchObject({ ...FULL, topic: "other", server: undefined, fanout: false });
  });

  it("keeps the legacy namespaces, unless they are replaced", () => {
    expect(target.with({ namespace: "m" }).acceptedNamespaces).toEqual(["m", "old"]);
    expect(target.with({ legacyNamespaces: null }).acceptedNamespaces).toEqual(["n"]);
  });

  it("leaves the original alone", () => {
    target.with({ topic: "other" });
    expect(target.topic).toBe("t");
  });

  it("does not follow later changes of what the original was made from", () => {
    const init = { topic: "t" };
    const made = new Target(init);
    init.topic = "changed";
    expect(made.with({ server: "s" }).topic).toBe("t");
  });
});

it("something like a target becomes one, and a target stays itself", () => {
  const target = new Target({ topic: "t" });
  expect(toTarget(target)).toBe(target);
  expect(toTarget({ topic: "t" })).toBeInstanceOf(Target);
  expectTypeOf<{ topic: string; server: string | undefined }>().toExtend<TargetInit>();
});
