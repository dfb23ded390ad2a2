import { describe, expect, it } from "vitest";
import { accessPolicies, expose } from "@/src/driver/rpc/access-policy.js";
import { type ErrorClass, expectedExceptions, isExpected } from "@/src/driver/rpc/expected-exceptions.js";
import { decorated } from "./decorated.js";

class NotFound extends Error {}
class Gone extends NotFound {}

describe("expectedExceptions", () => {
  it("expectedExceptions returns the method itself", () => {
    async function show(this: unknown, _context: object, _args: object) {}
    expect(expectedExceptions(NotFound)(show)).toBe(show);
    expect(Object.keys(show)).toEqual([]);
  });

  it("errors of the declared classes and derived ones are expected, and no others", () => {
    const show = expectedExceptions(NotFound, RangeError)(() => {});
    const thrown = [new NotFound(), new Gone(), new RangeError(), new Error(), new TypeError(), "NotFound", undefined];
    expect(thrown.map((error) => isExpected(show, error))).toEqual([true, true, true, false, false, false, false]);
  });

  it("expectedExceptions can be applied several times, also without classes", () => {
    const show = expectedExceptions(RangeError)(expectedExceptions()(expectedExceptions(NotFound)(() => {})));
    expect([new NotFound(), new RangeError(), new Error()].map((error) => isExpected(show, error))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("expectedExceptions and expose can be combined in any order as decorators", () => {
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

  it("the declaration of a method does not apply to the one that overrides it", () => {
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

  it("a thrown Proxy whose traps throw is not expected", () => {
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
    "expectedExceptions throws for %o in the place of a class",
    (type) => {
      expect(() => expectedExceptions(type as unknown as ErrorClass)).toThrow(
        "expectedExceptions requires classes of errors",
      );
    },
  );

  it.each([[undefined], [{}], ["show"]])(
    "expectedExceptions and expose throw for %o in the place of a method",
    (method) => {
      expect(() => expectedExceptions(NotFound)(method as unknown as () => void)).toThrow(
        "only a method can be marked",
      );
      expect(() => expose(method as unknown as () => void)).toThrow("only a method can be marked");
    },
  );
});
