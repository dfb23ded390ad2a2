import { describe, expect, expectTypeOf, it } from "vitest";
import { InvalidTarget } from "@/src/driver/exceptions.js";
import { Target, type TargetInit, toTarget } from "@/src/driver/target.js";

const FULL = { exchange: "x", topic: "t", namespace: "n", version: "1.0", server: "s", fanout: true };

describe("Target", () => {
  it("omitted members of a target are undefined or false", () => {
    expect(new Target(FULL)).toMatchObject(FULL);
    const { exchange, topic, namespace, version, server, fanout } = new Target();
    expect([exchange, topic, namespace, version, server, fanout]).toEqual([...Array(5).fill(undefined), false]);
  });

  it("a target accepts its namespace and the legacy ones", () => {
    expect(new Target().acceptedNamespaces).toEqual([undefined]);
    expect(new Target({ namespace: "n", legacyNamespaces: ["a", "b"] }).acceptedNamespaces).toEqual(["n", "a", "b"]);
  });

  it("a target prints as in Python, without empty members", () => {
    expect(`${new Target(FULL)}`).toBe("<Target exchange=x, topic=t, namespace=n, version=1.0, server=s, fanout=True>");
    expect(`${new Target({ topic: "t", server: "", fanout: false })}`).toBe("<Target topic=t>");
    expect(`${new Target()}`).toBe("<Target >");
  });

  it.each([
    [{ topic: 5 }, "topic must be a string, not number"],
    [{ server: null }, "server must be a string, not null"],
    [{ fanout: "yes" }, "fanout must be a boolean, not string"],
  ])("a target throws for members of a wrong type: %j", (init, message) => {
    const make = () => new Target(init as object);
    expect(make).toThrow(InvalidTarget);
    expect(make).toThrow(message);
  });
});

describe("a copy of a target", () => {
  const target = new Target({ ...FULL, legacyNamespaces: ["old"] });

  it("a copy inherits omitted and undefined members, and clears those that are null", () => {
    const copy = target.with({ server: null, exchange: undefined, topic: "other", fanout: null });
    expect(copy).toMatchObject({ ...FULL, topic: "other", server: undefined, fanout: false });
  });

  it("a copy keeps the legacy namespaces, unless they are replaced", () => {
    expect(target.with({ namespace: "m" }).acceptedNamespaces).toEqual(["m", "old"]);
    expect(target.with({ legacyNamespaces: null }).acceptedNamespaces).toEqual(["n"]);
  });

  it("a copy does not change the original", () => {
    target.with({ topic: "other" });
    expect(target.topic).toBe("t");
  });

  it("a copy does not depend on later changes of the original's init object", () => {
    const init = { topic: "t" };
    const made = new Target(init);
    init.topic = "changed";
    expect(made.with({ server: "s" }).topic).toBe("t");
  });
});

it("toTarget makes a target from members and returns a target unchanged", () => {
  const target = new Target({ topic: "t" });
  expect(toTarget(target)).toBe(target);
  expect(toTarget({ topic: "t" })).toBeInstanceOf(Target);
  expectTypeOf<{ topic: string; server: string | undefined }>().toExtend<TargetInit>();
});
