import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import { NotificationFilter } from "@/src/driver/notify/listening/filter.js";
import { pythonMatch } from "@/src/driver/notify/listening/python-regexp.js";
import type { Notification } from "@/src/driver/notify/notification.js";
import { cases } from "@/test/data/python-regexp.json";

const NOTIFICATION: Notification = {
  context: { user: "admin", roles: ["x"] },
  publisherId: "compute.host1",
  eventType: "compute.instance.create",
  payload: { state: "active", id: 5, nested: { a: "b" } },
  metadata: { messageId: "m-1", timestamp: "2026-11-23 10:53:28.419873" },
};

describe("a filter", () => {
  it.each([
    [{}, true],
    [{ publisherId: "compute\\..*" }, true],
    [{ publisherId: "host1" }, false],
    [{ publisherId: "compute", eventType: "network" }, false],
    [{ eventType: "compute\\.instance\\.(create|delete)\\Z" }, true],
    [{ context: { user: "^adm" } }, true],
    [{ context: { user: "^adm", project: ".*" } }, false],
    [{ context: { roles: "x" } }, false],
    [{ context: { toString: ".*" } }, false],
    [{ metadata: { timestamp: "2026-" } }, true],
    [{ metadata: { messageId: "m-2" } }, false],
    [{ payload: { state: "active" } }, true],
    [{ payload: { id: "5" } }, false],
    [{ payload: { nested: ".*" } }, false],
    [{ payload: {} }, true],
    [{ publisherId: undefined }, true],
  ])("whether the filter %j matches: %s", (rule, passes) => {
    expect(new NotificationFilter(rule).matches(NOTIFICATION)).toBe(passes);
  });

  it.each([[null], ["text"], [["state"]], [5], [undefined]])(
    "a filter on a payload member does not match the payload %j",
    (payload) => {
      const filter = new NotificationFilter({ payload: { state: ".*" } });
      expect(filter.matches({ ...NOTIFICATION, payload })).toBe(false);
    },
  );

  it("a filter gives the same result every time", () => {
    const filter = new NotificationFilter({ eventType: "compute" });
    expect([1, 2, 3].map(() => filter.matches(NOTIFICATION))).toEqual([true, true, true]);
  });

  it.each([
    [{ eventType: "(" }, "eventType"],
    [{ payload: { state: "a**" } }, "payload.state"],
    [{ eventType: 5 }, "eventType"],
    [{ context: "admin" }, "context"],
    [{ context: { user: /admin/ } }, "context.user"],
    [{ event_type: "x" }, "event_type"],
    [{ metadata: { message_id: "m-1" } }, "metadata.message_id"],
  ])("the filter %j throws an error that names %s", (rule, key) => {
    expect(() => new NotificationFilter(rule as object)).toThrow(expect.objectContaining({ key }));
    expect(() => new NotificationFilter(rule as object)).toThrow(ConfigurationError);
  });
});

describe("a regular expression of Python", () => {
  it.each(cases)(
    "the Python expression $pattern matches the same texts as in Python",
    { tags: ["notify:filter"] },
    ({ pattern, matches, others }) => {
      const match = pythonMatch(pattern);
      expect([...matches, ...others].filter(match)).toEqual(matches);
    },
  );

  it.each([
    ["(?x)a b", "flags x"],
    ["(?L)a", "flags L"],
    ["(?a)\\w", "flags a"],
    ["a(?i)b", "(?i)"],
    ["(?i:a)", "(?i:"],
    ["(a)?(?(1)b|c)", "(?(1"],
    ["(?>a)", "(?>a"],
    ["a++", "Nothing to repeat"],
    ["\\N{DIGIT ONE}", "\\N"],
    ["\\q", "\\q"],
    ["\\477", "octal"],
    ["[\\w-a]", "class"],
    ["[A-\\w]", "class"],
    ["[a", "["],
    ["(", "group"],
    ["\\", "\\"],
    ["(?P<1>a)", "group"],
    ["\\1", "\\1"],
    ["\\U00110000", "escape"],
  ])("the Python expression %s throws a SyntaxError: %s", (pattern, reason) => {
    expect(() => pythonMatch(pattern)).toThrow(SyntaxError);
    expect(() => pythonMatch(pattern)).toThrow(reason);
  });

  it("any generated Python expression is translated or throws a SyntaxError", () => {
    const piece = fc.constantFrom(
      ..."()[]{}?*+|^$.\\-=!<>:#,PAZbBdDwWsSimx0178anué😀".split(""),
      "(?P<n>",
      "(?P=n)",
      "\\u00e9",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.string(), (pieces, text) => {
        try {
          pythonMatch(pieces.join(""))(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });

  it("an escaped plain text matches the texts that start with it", { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, rest) => {
        const escaped = text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
        expect(pythonMatch(escaped)(text + rest)).toBe(true);
        expect(pythonMatch(escaped)(`x${text}`)).toBe(`x${text}`.startsWith(text));
      }),
    );
  });
});
