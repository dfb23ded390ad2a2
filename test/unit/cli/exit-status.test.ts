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

describe("the exit status", () => {
  it.each([
    ["a remote error", remote, 1],
    ["no answer in time", new MessagingTimeout(failure("reply")), 2],
    ["no credit in time", new MessagingTimeout(failure("credit")), 2],
    ["a failed delivery", undelivered("acknowledgement"), 3],
    ["a timeout while connecting", new MessagingTimeout(failure("connecting")), 4],
    ["a failed delivery while connecting", undelivered("connecting"), 4],
    ["something wrong with the message bus", new ChecksFailed("1 of 9 checks found something wrong"), 5],
    ["no connection for a server", new NotConnected("not connected"), 4],
    ["wrong use", new UsageError("--user must be NAME:PASSWORD"), 64],
    ["an option out of range", new ConfigurationError("idle_timeout", "must be a number"), 64],
    ["an unknown option", new NoSuchOptError("idle", "unknown option"), 64],
    ["a malformed URL", new InvalidTransportURL("x", "No scheme specified"), 64],
    ["an unknown scheme", new DriverLoadFailure("kafka", "unknown"), 64],
    ["a target that cannot be", new InvalidTarget("A call cannot be used with fanout", new Target()), 64],
    ["an argument that commander refuses", new CommanderError(1, "commander.unknownOption", "unknown option"), 64],
    ["help", new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), 0],
    ["Ctrl-C", new Interrupted("SIGINT"), 130],
    ["SIGTERM", new Interrupted("SIGTERM"), 143],
    ["anything else", new TypeError("x is not a function"), 70],
    ["something thrown that is no Error", "x", 70],
  ])("of %s is its own", (_what, error, status) => {
    expect(exitStatus(error)).toBe(status);
  });
});

describe("the text of an error", () => {
  it("is type and message of the remote one, without its traceback", () => {
    expect(describeError(remote)).toBe("ValueError: bad value");
  });

  it("is followed by its causes", () => {
    const error = new NotConnected("not connected", {
      cause: new Error("refused", { cause: new Error("bad password") }),
    });
    expect(describeError(error)).toBe("NotConnected: not connected\n  because: refused\n  because: bad password");
  });

  it("does not say twice what its cause says", () => {
    expect(describeError(new UsageError("--tcp: in use", { cause: new Error("in use") }))).toBe(
      "UsageError: --tcp: in use",
    );
  });

  it("ends when causes go round in a circle", () => {
    const first = new Error("first");
    first.cause = new Error("second", { cause: first });
    expect(describeError(first)).toBe("Error: first\n  because: second");
  });
});
