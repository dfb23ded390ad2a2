import { describe, expect, it } from "vitest";
import { accessPolicies, expose } from "@/src/driver/rpc/access-policy.js";
import { type ErrorClass, expectedExceptions, isExpected } from "@/src/driver/rpc/expected-exceptions.js";
import { decorated } from "./decorated.js";

class NotFound extends Error {}
class Gone extends NotFound {}

describe("a method that says which errors it may throw", () => {
  it("expectedExceptions returns the same method", () => {
    async function show(this: unknown, _context: object, _args: object) {}
    expect(expectedExceptions(NotFound)(show)).toBe(show);
    expect(Object.keys(show)).toEqual([]);
  });

  it("a method expects the given errors and their subclasses, and no others", () => {
    const show = expectedExceptions(NotFound, RangeError)(() => {});
    const thrown = [new NotFound(), new Gone(), new RangeError(), new Error(), new TypeError(), "NotFound", undefined];
    expect(thrown.map((error) => isExpected(show, error))).toEqual([true, true, true, false, false, false, false]);
  });

  it("expectedExceptions can be applied several times, and without classes", () => {
    const show = expectedExceptions(RangeError)(expectedExceptions()(expectedExceptions(NotFound)(() => {})));
    expect([new NotFound(), new RangeError(), new Error()].map((error) => isExpected(show, error))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("a method can be exposed and have expected errors, in any order of decorators", () => {
    const Decorated = decorated(
      `class Decorated {
        @expose @expectedExceptions(NotFound) first() {}
        @expectedExceptions(NotFound) @expose second() {}
        @expectedExceptions(NotFound) hidden() {}
      }`,
      { expose, expectedExceptions, NotFound },
    );
    const endpoint = new Decorated();
    for (const name of ["first", "second"]) {
      expect(accessPolicies.explicit(endpoint, name)).toBe(true);
      expect(isExpected(Reflect.get(endpoint, name), new NotFound())).toBe(true);
    }
    expect(accessPolicies.explicit(endpoint, "hidden")).toBe(false);
  });

  it("expected errors are inherited, but not by an overriding method", () => {
    class Base {
      show(): void {}
    }
    class Derived extends Base {
      override show(): void {}
    }
    expectedExceptions(NotFound)(Base.prototype.show);
    expect(isExpected(new Derived().show, new NotFound())).toBe(false);
    class Same extends Base {}
    expect(isExpected(new Same().show, new NotFound())).toBe(true);
  });

  it("an error whose prototype cannot be read is not expected", () => {
    const hostile = new Proxy(new Error(), {
      getPrototypeOf() {
        throw new Error("trap");
      },
    });
    expect(
      isExpected(
        expectedExceptions(NotFound)(() => {}),
        hostile,
      ),
    ).toBe(false);
  });

  it.each([[undefined], ["NotFound"], [new NotFound()], [() => {}]])(
    "expectedExceptions refuses %o as a class",
    (type) => {
      expect(() => expectedExceptions(type as unknown as ErrorClass)).toThrow(
        "expectedExceptions takes classes of errors",
      );
    },
  );

  it.each([[undefined], [{}], ["show"]])("expectedExceptions and expose refuse %o as a method", (method) => {
    expect(() => expectedExceptions(NotFound)(method as unknown as () => void)).toThrow("only a method can be marked");
    expect(() => expose(method as unknown as () => void)).toThrow("only a method can be marked");
  });
});
