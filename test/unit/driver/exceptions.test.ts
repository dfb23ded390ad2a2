import { runInNewContext } from "node:vm";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as module from "@/src/driver/exceptions.js";
import { Target } from "@/src/driver/target.js";

const { isMessagingException, ...exceptions } = module;
const {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
  MessageDeliveryFailure,
  MessagingException,
  MessagingServerError,
  MessagingTimeout,
  MessageUndeliverable,
  NoSuchMethod,
  NoSuchOptError,
  RemoteError,
  RPCDispatcherError,
  RPCVersionCapError,
  SendQueueFull,
  TaskTimeout,
  UnsupportedVersion,
} = exceptions;

const target = new Target({ topic: "t" });
const where = { operation: "RPC Call", target, address: "a/b", host: "h:5672", timeoutMs: 2_000, elapsedMs: 1234.5 };
const cause = new Error("why");
const failure = {
  excType: "ValueError",
  module: "builtins",
  message: "bad",
  traceback: ["a\n", "b\n"],
  args: [1],
  kwargs: {},
};
const all = [
  new MessagingException("x"),
  new MessagingTimeout({ ...where, phase: "reply" }),
  new MessageDeliveryFailure({ ...where, phase: "credit", outcome: "unsent", reason: "why" }),
  new SendQueueFull({ ...where, phase: "credit", messages: 2, bytes: 1, limits: { messages: 2, bytes: 9 } }),
  new MessageUndeliverable({
    ...where,
    phase: "acknowledgement",
    exchange: "openstack",
    routingKey: "t",
    replyText: "NO_ROUTE",
  }),
  new InvalidTarget("no", target),
  new InvalidTransportURL("amqp://", "no"),
  new DriverLoadFailure("kafka", "no"),
  new RPCVersionCapError("2.0", "1.0"),
  new RemoteError(failure),
  new MessagingServerError("x"),
  new TaskTimeout("x"),
  new RPCDispatcherError("x"),
  new NoSuchMethod("m"),
  new UnsupportedVersion("1.0"),
  new ConfigurationError("key", "no"),
  new NoSuchOptError("key", "no"),
];

describe("every exception", () => {
  it("every exception is among those tested here", () => {
    expect(new Set(all.map((error) => error.constructor))).toEqual(new Set(Object.values(exceptions)));
  });

  it.each(Object.entries(exceptions))("the exception %s has its oslo name literally", (name, type) => {
    const error = all.find((error) => error.constructor === type);
    expect(error?.name).toBe(name);
    expect(String(error)).toMatch(new RegExp(`^${name}: `));
  });

  it("every exception except those about the configuration is a MessagingException, as in oslo", () => {
    for (const error of all) expect(error instanceof MessagingException).toBe(!(error instanceof ConfigurationError));
  });

  it("exceptions inherit as in oslo", () => {
    expect(all.filter((error) => error instanceof MessagingServerError).map(({ name }) => name)).toEqual([
      "MessagingServerError",
      "TaskTimeout",
      "RPCDispatcherError",
      "NoSuchMethod",
      "UnsupportedVersion",
    ]);
    expect(new NoSuchMethod("m")).toBeInstanceOf(RPCDispatcherError);
    expect(new UnsupportedVersion("1.0")).toBeInstanceOf(RPCDispatcherError);
    expect(new NoSuchOptError("k", "no")).toBeInstanceOf(ConfigurationError);
  });

  it("the type of an exception's name identifies it", () => {
    expectTypeOf<module.MessagingTimeout["name"]>().toEqualTypeOf<"MessagingTimeout">();
    expectTypeOf<module.RemoteError["name"]>().toEqualTypeOf<"RemoteError">();
  });
});

describe("the text of an exception", () => {
  it("the text of a timeout names operation, target, phase, time, address and host", {
    tags: ["send:timeout:told"],
  }, () => {
    const error = new MessagingTimeout({ ...where, phase: "reply" });
    expect(error.message).toBe(
      "RPC Call message sent to <Target topic=t> failed: timed out (phase reply, after 1235 ms, address a/b, host h:5672)",
    );
    expect(error).toMatchObject({ ...where, phase: "reply" });
    expectTypeOf(error.target).toEqualTypeOf<Target | string>();
  });

  it("the text of a timeout says when address and host are not known", () => {
    const error = new MessagingTimeout({ ...where, phase: "connecting", address: undefined, host: undefined });
    expect(error.message).toContain("(phase connecting, after 1235 ms, address not known yet, host none)");
  });

  it("the text of a missed heartbeat is oslo's", () => {
    expect(new MessagingTimeout({ ...where, phase: "heartbeat" }).message).toContain(
      "failed: call monitor timed out (",
    );
  });

  it("the text of a failed delivery names outcome and reason as well", () => {
    const reason = "amqp:not-found: gone";
    const error = new MessageDeliveryFailure({ ...where, phase: "acknowledgement", outcome: "rejected", reason });
    expect(error.message).toBe(
      "RPC Call message sent to <Target topic=t> failed: rejected: amqp:not-found: gone " +
        "(phase acknowledgement, after 1235 ms, address a/b, host h:5672)",
    );
    expect(error).toMatchObject({ ...where, outcome: "rejected", phase: "acknowledgement" });
  });

  it("texts that clients match on are oslo's, letter for letter", () => {
    expect(new NoSuchMethod("m").message).toBe("Endpoint does not support RPC method m");
    expect(new UnsupportedVersion("1.1").message).toBe("Endpoint does not support RPC version 1.1");
    expect(new UnsupportedVersion("1.1", "m").message).toBe(
      "Endpoint does not support RPC version 1.1. Attempted method: m",
    );
    expect(new RemoteError(failure).remoteText).toBe("Remote error: ValueError bad\na\nb\n.");
    expect(new InvalidTarget("A topic is required to send", target).message).toBe(
      "A topic is required to send:<Target topic=t>",
    );
    expect(new DriverLoadFailure("kafka", "no").message).toBe('Failed to load transport driver "kafka": no');
    expect(new RPCVersionCapError("2.0", "1.0").message).toBe(
      "Requested message version, 2.0 is incompatible.  It needs to be equal in major version and less than or equal " +
        "in minor version as the specified version cap 1.0.",
    );
  });

  it("the text of an invalid setting begins with its key", () => {
    expect(new NoSuchOptError("idleTimeout", "no").message).toBe("idleTimeout: no");
    expect(new NoSuchOptError("idleTimeout", "no").key).toBe("idleTimeout");
  });
});

describe("the text of a RemoteError", () => {
  const messageOf = (message: string) => new RemoteError({ ...failure, message }).message;

  it("a RemoteError's message is the class and the text, without the stack trace", () => {
    expect(messageOf("bad")).toBe("ValueError: bad");
    expect(messageOf("two\nlines")).toBe("ValueError: two\nlines");
    expect(messageOf("")).toBe("ValueError");
  });

  it("a RemoteError's message has no stack trace that Python put into the text of an exception raised again", () => {
    const raisedAgain = 'bad\nTraceback (most recent call last):\n\n  File "/srv/x.py", line 1\n\nValueError: bad\n';
    expect(messageOf(raisedAgain)).toBe("ValueError: bad");
    const error = new RemoteError({ ...failure, message: raisedAgain });
    expect(error.value).toBe(raisedAgain);
    expect(error.remoteText).toContain("/srv/x.py");
  });
});

describe("the cause of an exception", () => {
  const timeout = (init: object) => new MessagingTimeout({ ...where, phase: "reply", ...init }).message;

  it("the message ends in the text of the cause, in one line", () => {
    expect(timeout({ cause: new Error("connection refused") })).toMatch(/, host h:5672\): connection refused$/);
    expect(timeout({ cause: runInNewContext("new Error('of another realm')") })).toMatch(/\): of another realm$/);
    expect(timeout({ cause: new Error("first\r\n  second\n") })).toMatch(/\): first second$/);
    expect(timeout({ cause: new Error("x".repeat(9_999)) })).toMatch(/\): x{500}$/);
    const delivery = { ...where, phase: "credit", outcome: "unsent" } as const;
    expect(new MessageDeliveryFailure({ ...delivery, reason: "timed out", cause }).message).toMatch(/\): why$/);
    const full = { messages: 1, bytes: 9, limits: { messages: 1, bytes: 9 } };
    expect(new SendQueueFull({ ...delivery, ...full, cause }).message).toMatch(/\): why$/);
  });

  it("the message does not repeat a cause that it has already", () => {
    const delivery = { ...where, phase: "acknowledgement", outcome: "rejected" } as const;
    for (const why of ["amqp:not-found: gone", "two\nlines"]) {
      const { message } = new MessageDeliveryFailure({ ...delivery, reason: why, cause: new Error(why) });
      expect(message).toMatch(/failed: rejected: (amqp:not-found: gone|two lines) \(.*\)$/);
    }
  });

  it("the message ends in an explanation in the place of the cause", () => {
    expect(timeout({ cause, explanation: "released by the peer" })).toMatch(/\): released by the peer$/);
    expect(timeout({ explanation: "the method may be slow" })).toMatch(/\): the method may be slow$/);
    expect(timeout({ cause: "no Error" })).toMatch(/h:5672\)$/);
  });

  it("an exception keeps its cause", () => {
    expect(new MessagingTimeout({ ...where, phase: "reply", cause }).cause).toBe(cause);
    expect(new RemoteError(failure, { cause }).cause).toBe(cause);
  });

  it("an exception without a cause has no member for it", () => {
    expect("cause" in new MessagingTimeout({ ...where, phase: "reply" })).toBe(false);
  });
});

it("a RemoteError has the details of the remote failure as data", () => {
  expect(new RemoteError(failure)).toMatchObject({
    excType: "ValueError",
    module: "builtins",
    value: "bad",
    traceback: ["a\n", "b\n"],
    args: [1],
    kwargs: {},
  });
});

describe("isMessagingException", () => {
  it("every MessagingException is one, a ConfigurationError and other values are not", () => {
    expect(all.filter(isMessagingException).map(({ name }) => name)).toEqual(
      all.filter((error) => error instanceof MessagingException).map(({ name }) => name),
    );
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [
      new Error("x"),
      { name: "MessagingException" },
      MessagingException,
      null,
      undefined,
      "x",
      proxy,
    ])
      expect(isMessagingException(value)).toBe(false);
  });
});
