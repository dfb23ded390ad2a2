import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import {
  ChecksFailed,
  describeError,
  exitStatus,
  Interrupted,
  NotConnected,
  UsageError,
} from "@/src/cli/exit-status.js";
import type { WaitPhase } from "@/src/core/deadlines.js";
import {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
  MessageDeliveryFailure,
  MessagingTimeout,
  NoSuchOptError,
  RemoteError,
  Target,
} from "@/src/entry/node.js";

const failure = (phase: WaitPhase, cause?: Error) => ({
  operation: "RPC Call",
  target: new Target({ topic: "t" }),
  phase,
  address: undefined,
  host: "127.0.0.1:5672",
  elapsedMs: 1_000,
  cause,
});
const undelivered = (phase: WaitPhase) =>
  new MessageDeliveryFailure({ ...failure(phase), outcome: "unsent", reason: "time is up" });
const remote = new RemoteError({
  excType: "ValueError",
  module: "builtins",
  message: "bad value",
  traceback: ["line 1\n"],
  args: [],
  kwargs: {},
});

describe("the exit status of the command line", () => {
  it.each([
    ["a remote error", remote, 1],
    ["a timeout while waiting for a reply", new MessagingTimeout(failure("reply")), 2],
    ["a timeout while waiting for credit", new MessagingTimeout(failure("credit")), 2],
    ["a failed delivery", undelivered("acknowledgement"), 3],
    ["a timeout while connecting", new MessagingTimeout(failure("connecting")), 4],
    ["a failed delivery while connecting", undelivered("connecting"), 4],
    ["a failed check", new ChecksFailed("1 of 9 checks failed"), 5],
    ["a server that is not connected in time", new NotConnected("not connected"), 4],
    ["a usage error", new UsageError("--user must be NAME:PASSWORD"), 64],
    ["an option out of range", new ConfigurationError("idle_timeout", "must be a number"), 64],
    ["an unknown option", new NoSuchOptError("idle", "unknown option"), 64],
    ["a malformed URL", new InvalidTransportURL("x", "No scheme specified"), 64],
    ["an unknown scheme", new DriverLoadFailure("kafka", "unknown"), 64],
    ["an invalid target", new InvalidTarget("A call cannot be used with fanout", new Target()), 64],
    ["an argument that commander refuses", new CommanderError(1, "commander.unknownOption", "unknown option"), 64],
    ["help", new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), 0],
    ["Ctrl-C", new Interrupted("SIGINT"), 130],
    ["SIGTERM", new Interrupted("SIGTERM"), 143],
    ["an internal error", new TypeError("x is not a function"), 70],
    ["a thrown value that is not an Error", "x", 70],
  ])("%s has its exit status", (_error, error, status) => {
    expect(exitStatus(error)).toBe(status);
  });
});

describe("the text of an error", () => {
  it("a remote error is printed as type and message, with its traceback if it has one", () => {
    expect(describeError(remote)).toBe("ValueError: bad value\nline 1");
    const { excType, module, value: message, args, kwargs } = remote;
    const without = new RemoteError({ excType, module, message, traceback: [], args, kwargs });
    expect(describeError(without)).toBe("ValueError: bad value");
  });

  it("a failed message is printed with its cause in its own line only", () => {
    const cause = new Error("not\nauthorized", { cause: new Error("no such user") });
    expect(describeError(new MessagingTimeout(failure("connecting", cause)))).toMatch(
      /^MessagingTimeout: .*\): not authorized\n {2}because: no such user$/,
    );
  });

  it("an error is printed with its causes", () => {
    const error = new NotConnected("not connected", {
      cause: new Error("refused", { cause: new Error("bad password") }),
    });
    expect(describeError(error)).toBe("NotConnected: not connected\n  because: refused\n  because: bad password");
  });

  it("a cause that the error quotes already is not printed again", () => {
    expect(describeError(new UsageError("--tcp: in use", { cause: new Error("in use") }))).toBe(
      "UsageError: --tcp: in use",
    );
  });

  it("a circular chain of causes ends where it repeats", () => {
    const first = new Error("first");
    first.cause = new Error("second", { cause: first });
    expect(describeError(first)).toBe("Error: first\n  because: second");
  });
});
