import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accessPolicies, expose, methodOf } from "@/src/driver/rpc/access-policy.js";
import { decorated } from "./decorated.js";

class Base {
  inherited(): string {
    return "inherited";
  }
}

class Endpoint extends Base {
  static shared(): string {
    return "static";
  }
  readonly arrow = (): string => "arrow";
  readonly data = { call: () => "data" };
  reads = 0;
  own(): string {
    return "own";
  }
  get getter(): () => string {
    this.reads += 1;
    return () => "getter";
  }
  set setter(_value: unknown) {
    this.reads += 1;
  }
}

describe("a name off the wire", () => {
  const endpoint = new Endpoint();

  it.each(["own", "inherited", "arrow"])("a name selects the method %s", (name) => {
    expect(methodOf(endpoint, name)).toBe(Reflect.get(endpoint, name));
  });

  it("a name selects methods of an object without a prototype, of a class, and of a frozen object", () => {
    const bare = Object.assign(Object.create(null), { hello: () => "x" });
    expect(methodOf(bare, "hello")).toBe(bare.hello);
    expect(methodOf(Endpoint, "shared")).toBe(Endpoint.shared);
    expect(methodOf(Object.freeze({ hello: bare.hello }), "hello")).toBe(bare.hello);
  });

  it("no name selects a built-in method, on any kind of endpoint", () => {
    const names = [Object.prototype, Function.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype));
    for (const holder of [endpoint, {}, Endpoint, () => {}, async () => {}, Object.create(null)]) {
      for (const name of names) expect([name, methodOf(holder, name)]).toEqual([name, undefined]);
    }
  });

  it.each(["constructor", "__proto__", "data", "reads", "absent", "", "prototype", "data.call"])(
    "the name %j selects no method",
    (name) => {
      expect(methodOf(endpoint, name)).toBeUndefined();
      expect(methodOf(Endpoint, name)).toBeUndefined();
    },
  );

  it("selecting a method runs no getter and no setter", () => {
    expect(methodOf(endpoint, "getter")).toBeUndefined();
    expect(methodOf(endpoint, "setter")).toBeUndefined();
    expect(endpoint.reads).toBe(0);
  });

  it("an own property constructor or __proto__ is not selected", () => {
    const own = Object.defineProperty({}, "constructor", { value: () => "x" });
    expect(methodOf(own, "constructor")).toBeUndefined();
    expect(methodOf(JSON.parse('{"__proto__": {}}'), "__proto__")).toBeUndefined();
  });

  it("a method with a symbol as its name is not selected", () => {
    const marked = { [Symbol.iterator]: () => [].values(), [Symbol("hello")]: () => "x" };
    for (const name of ["Symbol(Symbol.iterator)", "Symbol.iterator", "@@iterator", "Symbol(hello)", "hello"]) {
      expect(methodOf(marked, name)).toBeUndefined();
    }
  });

  it("a method that another property shadows is not selected", () => {
    expect(methodOf({ __proto__: endpoint, own: 5 }, "own")).toBeUndefined();
  });

  it("an arbitrary name selects only a method that the endpoint defines", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(methodOf({ hello: () => "x" }, name) === undefined).toBe(name !== "hello");
      }),
    );
  });
});

describe("the access policy", () => {
  const endpoint = { hello: () => "x", _hidden: () => "y", shown: expose(() => "z") };

  it.each([
    ["legacy", true, true, true],
    ["default", true, false, true],
    ["explicit", false, false, true],
  ] as const)(
    "the access policy %s allows a method, one with _, an exposed one: %s, %s, %s",
    (name, hello, hidden, shown) => {
      const policy = accessPolicies[name];
      expect(["hello", "_hidden", "shown"].map((method) => policy(endpoint, method))).toEqual([hello, hidden, shown]);
    },
  );

  it("the access policy explicit does not allow a missing method", () => {
    expect(accessPolicies.explicit(endpoint, "toString")).toBe(false);
    expect(accessPolicies.explicit(endpoint, "absent")).toBe(false);
  });

  it("an exposed method is allowed where it is inherited, not where it is overridden", () => {
    const Decorated = decorated(
      'class Decorated { @expose shown() { return "shown" }; @expose static both() { return "static" } }',
      { expose },
    );
    class Inherits extends Decorated {}
    class Overrides extends Decorated {
      shown = () => "replaced";
    }
    expect(accessPolicies.explicit(new Inherits(), "shown")).toBe(true);
    expect(accessPolicies.explicit(new Overrides(), "shown")).toBe(false);
    expect(accessPolicies.explicit(Decorated, "both")).toBe(true);
  });

  it("an exposed method of a class is allowed, a bound copy is not", () => {
    class Marked {
      shown(): void {}
      plain(): void {}
    }
    expose(Marked.prototype.shown);
    expect(accessPolicies.explicit(new Marked(), "shown")).toBe(true);
    expect(accessPolicies.explicit(new Marked(), "plain")).toBe(false);
    expect(accessPolicies.explicit({ f: Marked.prototype.shown.bind(null) }, "f")).toBe(false);
  });
});
