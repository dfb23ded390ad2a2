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

  it.each(["own", "inherited", "arrow"])("selects the method %s", (name) => {
    expect(methodOf(endpoint, name)).toBe(Reflect.get(endpoint, name));
  });

  it("selects methods of an object without a prototype, of a class, and of a frozen object", () => {
    const bare = Object.assign(Object.create(null), { hello: () => "x" });
    expect(methodOf(bare, "hello")).toBe(bare.hello);
    expect(methodOf(Endpoint, "shared")).toBe(Endpoint.shared);
    expect(methodOf(Object.freeze({ hello: bare.hello }), "hello")).toBe(bare.hello);
  });

  it("selects nothing of the language's own, on any kind of endpoint", () => {
    const names = [Object.prototype, Function.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype));
    for (const holder of [endpoint, {}, Endpoint, () => {}, async () => {}, Object.create(null)]) {
      for (const name of names) expect([name, methodOf(holder, name)]).toEqual([name, undefined]);
    }
  });

  it.each(["constructor", "__proto__", "data", "reads", "absent", "", "prototype", "data.call"])(
    "does not select %j",
    (name) => {
      expect(methodOf(endpoint, name)).toBeUndefined();
      expect(methodOf(Endpoint, name)).toBeUndefined();
    },
  );

  it("runs no getter and no setter", () => {
    expect(methodOf(endpoint, "getter")).toBeUndefined();
    expect(methodOf(endpoint, "setter")).toBeUndefined();
    expect(endpoint.reads).toBe(0);
  });

  it("does not find a constructor that somebody defined, either", () => {
    const own = Object.defineProperty({}, "constructor", { value: () => "x" });
    expect(methodOf(own, "constructor")).toBeUndefined();
    expect(methodOf(JSON.parse('{"__proto__": {}}'), "__proto__")).toBeUndefined();
  });

  it("selects no method that only a symbol names", () => {
    const marked = { [Symbol.iterator]: () => [].values(), [Symbol("hello")]: () => "x" };
    for (const name of ["Symbol(Symbol.iterator)", "Symbol.iterator", "@@iterator", "Symbol(hello)", "hello"]) {
      expect(methodOf(marked, name)).toBeUndefined();
    }
  });

  it("that is hidden by something else is hidden", () => {
    expect(methodOf({ __proto__: endpoint, own: 5 }, "own")).toBeUndefined();
  });

  it("selects only what the endpoint defines, whatever it is", () => {
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
  ] as const)("%s allows a method, one with _, one that is exposed: %s, %s, %s", (name, hello, hidden, shown) => {
    const policy = accessPolicies[name];
    expect(["hello", "_hidden", "shown"].map((method) => policy(endpoint, method))).toEqual([hello, hidden, shown]);
  });

  it("explicit does not allow what is no method", () => {
    expect(accessPolicies.explicit(endpoint, "toString")).toBe(false);
    expect(accessPolicies.explicit(endpoint, "absent")).toBe(false);
  });

  it("explicit sees the mark of a decorated method where it is inherited, and not where it is overridden", () => {
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

  it("explicit sees the mark of a class's method, and none through a derived function", () => {
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
