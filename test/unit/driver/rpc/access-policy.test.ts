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

describe("methodOf", () => {
  const endpoint = new Endpoint();

  it.each(["own", "inherited", "arrow"])("methodOf finds the method %s", (name) => {
    expect(methodOf(endpoint, name)).toBe(Reflect.get(endpoint, name));
  });

  it("methodOf finds methods of an object without prototype, of a class and of a frozen object", () => {
    const bare = Object.assign(Object.create(null), { hello: () => "x" });
    expect(methodOf(bare, "hello")).toBe(bare.hello);
    expect(methodOf(Endpoint, "shared")).toBe(Endpoint.shared);
    expect(methodOf(Object.freeze({ hello: bare.hello }), "hello")).toBe(bare.hello);
  });

  it("methodOf finds no member of built-in prototypes on any kind of endpoint", () => {
    const names = [Object.prototype, Function.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype));
    for (const holder of [endpoint, {}, Endpoint, () => {}, async () => {}, Object.create(null)]) {
      for (const name of names) expect([name, methodOf(holder, name)]).toEqual([name, undefined]);
    }
  });

  it.each(["constructor", "__proto__", "data", "reads", "absent", "", "prototype", "data.call"])(
    "methodOf does not find %j",
    (name) => {
      expect(methodOf(endpoint, name)).toBeUndefined();
      expect(methodOf(Endpoint, name)).toBeUndefined();
    },
  );

  it("methodOf calls neither getters nor setters", () => {
    expect(methodOf(endpoint, "getter")).toBeUndefined();
    expect(methodOf(endpoint, "setter")).toBeUndefined();
    expect(endpoint.reads).toBe(0);
  });

  it("methodOf does not find a constructor that the endpoint defines itself", () => {
    const own = Object.defineProperty({}, "constructor", { value: () => "x" });
    expect(methodOf(own, "constructor")).toBeUndefined();
    expect(methodOf(JSON.parse('{"__proto__": {}}'), "__proto__")).toBeUndefined();
  });

  it("methodOf does not find methods that are named by a symbol", () => {
    const marked = { [Symbol.iterator]: () => [].values(), [Symbol("hello")]: () => "x" };
    for (const name of ["Symbol(Symbol.iterator)", "Symbol.iterator", "@@iterator", "Symbol(hello)", "hello"]) {
      expect(methodOf(marked, name)).toBeUndefined();
    }
  });

  it("methodOf does not find a method that another member hides", () => {
    expect(methodOf({ __proto__: endpoint, own: 5 }, "own")).toBeUndefined();
  });

  it("methodOf finds only methods that the endpoint defines, for any generated name", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(methodOf({ hello: () => "x" }, name) === undefined).toBe(name !== "hello");
      }),
    );
  });
});

describe("access policies", () => {
  const endpoint = { hello: () => "x", _hidden: () => "y", shown: expose(() => "z") };

  it.each([
    ["legacy", true, true, true],
    ["default", true, false, true],
    ["explicit", false, false, true],
  ] as const)("the policy %s allows a method, one with _, an exposed one: %s, %s, %s", (name, hello, hidden, shown) => {
    const policy = accessPolicies[name];
    expect(["hello", "_hidden", "shown"].map((method) => policy(endpoint, method))).toEqual([hello, hidden, shown]);
  });

  it("the policy explicit does not allow names without a method", () => {
    expect(accessPolicies.explicit(endpoint, "toString")).toBe(false);
    expect(accessPolicies.explicit(endpoint, "absent")).toBe(false);
  });

  it("the policy explicit allows a decorated method where it is inherited, not where it is overridden", () => {
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

  it("the policy explicit allows a marked method of a class, but not a function bound from it", () => {
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
