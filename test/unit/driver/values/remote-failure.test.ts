import { describe, expect, it } from "vitest";
import {
  ConfigurationError,
  MessagingException,
  NoSuchMethod,
  NoSuchOptError,
  RemoteError,
  type RemoteFailure,
  UnsupportedVersion,
} from "@/src/driver/exceptions.js";
import { failureFromJson, failureToJson, toFailure, toThrowable } from "@/src/driver/values/remote-failure.js";

const FAILURE: RemoteFailure = {
  excType: "PeerError",
  module: "peers_exc",
  message: "custom trouble",
  traceback: ["Traceback\n"],
  args: ["custom trouble"],
  kwargs: { code: 42 },
};

describe("toFailure", () => {
  it("the failure of an Error has its name as class and no stack", () => {
    expect(toFailure(new RangeError("no"))).toEqual({
      excType: "RangeError",
      module: "javascript",
      message: "no",
      traceback: [],
      args: ["no"],
      kwargs: {},
    });
  });

  it("the failure of an Error has its stack with sendTraceback", () => {
    const { traceback } = toFailure(new RangeError("no"), { sendTraceback: true });
    expect(traceback[0]).toBe("RangeError: no\n");
    expect(traceback.length).toBeGreaterThan(1);
  });

  it("the failure of an Error with a custom name has this name as class", () => {
    const error = Object.assign(new Error("custom trouble"), { name: "PeerError" });
    expect(toFailure(error)).toMatchObject({ excType: "PeerError", module: "javascript" });
  });

  it("the failure of one of oslo's own exceptions has oslo's module", () => {
    expect(toFailure(new NoSuchMethod("m"))).toMatchObject({
      excType: "NoSuchMethod",
      module: "oslo_messaging.rpc.dispatcher",
      message: "Endpoint does not support RPC method m",
      args: ["Endpoint does not support RPC method m"],
    });
    expect(toFailure(new UnsupportedVersion("1.0")).module).toBe("oslo_messaging.rpc.dispatcher");
    expect(toFailure(new MessagingException("x")).module).toBe("oslo_messaging.exceptions");
    expect(toFailure(new ConfigurationError("k", "x")).module).toBe("oslo_messaging.exceptions");
    expect(toFailure(new NoSuchOptError("k", "x")).module).toBe("oslo_config.cfg");
  });

  it("the failure of a class derived from one of oslo's has the module javascript", () => {
    class Mine extends NoSuchMethod {}
    expect(toFailure(new Mine("m")).module).toBe("javascript");
  });

  it("the failure of a RemoteError keeps its class, module and arguments", () => {
    expect(toFailure(new RemoteError(FAILURE))).toEqual({ ...FAILURE, traceback: [] });
    expect(toFailure(new RemoteError(FAILURE), { sendTraceback: true })).toEqual(FAILURE);
  });

  it("the suffix _Remote of Python's rebuilt classes is removed when both names have it", () => {
    const rebuilt = { ...FAILURE, excType: "PeerError_Remote", module: "peers_exc_Remote" };
    expect(toFailure(new RemoteError(rebuilt))).toMatchObject({ excType: "PeerError", module: "peers_exc" });
    const half = { ...FAILURE, excType: "My_Remote" };
    expect(toFailure(new RemoteError(half))).toMatchObject({ excType: "My_Remote", module: "peers_exc" });
  });

  it("the failure of a RemoteError with members of wrong types is normalized", () => {
    const error = new RemoteError(FAILURE);
    const odd = { excType: undefined, module: 5, value: { a: 1 }, traceback: "line", args: "x", kwargs: null };
    for (const [key, value] of Object.entries(odd)) Object.defineProperty(error, key, { value, enumerable: true });
    expect(toFailure(error, { sendTraceback: true })).toEqual({
      excType: "unknown",
      module: "5",
      message: '{"a":1}',
      traceback: ["line"],
      args: [],
      kwargs: {},
    });
  });

  it.each([
    ["text", "text"],
    [42, "42"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [{ code: 5 }, '{"code":5}'],
    [Object.create(null), "{}"],
    [{ toJSON: () => undefined }, "[object Object]"],
    [{ n: Number.NaN }, "[object Object]"],
  ])("the failure of a thrown value that is no Error has its text: %o", (thrown, message) => {
    expect(toFailure(thrown)).toMatchObject({ excType: "Error", module: "javascript", message, args: [message] });
  });

  it("the failure of an Error whose members throw or have wrong types can be serialized", () => {
    const hostile = Object.defineProperties(new Error("x"), {
      stack: { value: 5 },
      name: { value: "" },
      message: { get: () => Reflect.get({}, "x").y },
    });
    const failure = toFailure(hostile, { sendTraceback: true });
    expect(failure).toMatchObject({ excType: "Error", traceback: [] });
    expect(() => failureToJson(failure)).not.toThrow();
  });

  it("the failure of an Error of another realm has its name and message", () => {
    expect(toFailure({ name: "TypeError", message: "no" })).toMatchObject({ excType: "TypeError", message: "no" });
  });
});

describe("failureToJson and failureFromJson", () => {
  it("the JSON text of a failure has its members in Python's order", () => {
    expect(failureToJson(FAILURE)).toBe(
      '{"class":"PeerError","module":"peers_exc","message":"custom trouble","tb":["Traceback\\n"],' +
        '"args":["custom trouble"],"kwargs":{"code":42}}',
    );
  });

  it("failureFromJson returns the failure that failureToJson wrote", () => {
    expect(failureFromJson(failureToJson(FAILURE))).toEqual(FAILURE);
  });

  it.each([
    ["not a number", { args: [Number.NaN], kwargs: { code: 42 } }],
    [
      "a value that contains itself",
      {
        args: [],
        kwargs: Object.defineProperty({}, "me", {
          enumerable: true,
          get() {
            return this;
          },
        }),
      },
    ],
    ["a value whose toJSON throws", { args: [{ toJSON: () => Reflect.get({}, "x").y }], kwargs: {} }],
  ])("the message replaces arguments that JSON cannot represent: %s", (_name, members) => {
    const failure = failureFromJson(failureToJson({ ...FAILURE, ...members }));
    expect(failure).toEqual({ ...FAILURE, args: ["custom trouble"], kwargs: {} });
  });

  it("a failure with Python's NaN is read, so that the caller receives it", () => {
    const { args } = failureFromJson(
      '{"class":"ValueError","module":"builtins","message":"nan","args":[NaN,-Infinity]}',
    );
    expect(args).toEqual([Number.NaN, Number.NEGATIVE_INFINITY]);
  });

  it("the module of Python 2's builtins is read as that of Python 3", () => {
    expect(failureFromJson('{"class":"ValueError","module":"exceptions"}').module).toBe("builtins");
  });

  it.each([
    ["{}", { excType: "unknown", module: "unknown", message: "", traceback: [], args: [], kwargs: {} }],
    ['{"class":null,"module":5,"message":null}', { excType: "unknown", module: "5", message: "" }],
    ['{"message":{"a":[1]}}', { message: '{"a":[1]}' }],
    ['{"tb":"one line"}', { traceback: ["one line"] }],
    ['{"tb":[1,null,"x",{}]}', { traceback: ["1", "x", "{}"] }],
    ['{"tb":{"a":1}}', { traceback: ['{"a":1}'] }],
    ['{"args":"no list","kwargs":[1]}', { args: [], kwargs: {} }],
    ['{"class":"__proto__","module":"constructor"}', { excType: "__proto__", module: "constructor" }],
  ])("a failure with members of wrong types is normalized: %s", (text, failure) => {
    expect(failureFromJson(text)).toMatchObject(failure);
  });

  it.each([
    ["no JSON", /failure in a reply is not JSON/],
    ["[]", /failure in a reply is not a JSON object/],
    ["null", /failure in a reply is not a JSON object/],
    ['"text"', /failure in a reply is not a JSON object/],
    [{ class: "X" }, /failure in a reply is not JSON text but object/],
    [5, /failure in a reply is not JSON text but number/],
  ])("failureFromJson throws for text that is no JSON object: %j", (text, message) => {
    expect(() => failureFromJson(text)).toThrow(MessagingException);
    expect(() => failureFromJson(text)).toThrow(message);
  });
});

describe("toThrowable", () => {
  class PeerError extends Error {}

  it("the caller receives a RemoteError by default", () => {
    const error = toThrowable(FAILURE);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ excType: "PeerError", module: "peers_exc", value: "custom trouble" });
    expect("cause" in error).toBe(false);
  });

  it("the caller receives the Error that remoteExceptions makes of that module and class", {
    tags: ["rpc:call:allowed-remote-exceptions"],
  }, () => {
    const made = new PeerError("mine");
    const seen: RemoteFailure[] = [];
    const make = (failure: RemoteFailure): Error => {
      seen.push(failure);
      return made;
    };
    expect(toThrowable(FAILURE, new Map([["peers_exc.PeerError", make]]))).toBe(made);
    expect(seen).toEqual([FAILURE]);
    expect(toThrowable(FAILURE, new Map([["other.PeerError", make]]))).toBeInstanceOf(RemoteError);
  });

  it("the caller receives a RemoteError whose cause is the error of remoteExceptions", () => {
    const cause = new Error("broken");
    const make = (): Error => {
      throw cause;
    };
    const error = toThrowable(FAILURE, new Map([["peers_exc.PeerError", make]]));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.cause).toBe(cause);
  });

  it("the caller receives a RemoteError whose cause says that remoteExceptions returned no Error", () => {
    const make = (): Error => "no error" as unknown as Error;
    const error = toThrowable(FAILURE, new Map([["peers_exc.PeerError", make]]));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.cause).toMatchObject({ message: "remoteExceptions returned no Error for peers_exc.PeerError" });
  });
});
