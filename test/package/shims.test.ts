import { describe, expect, it } from "vitest";
import { EventEmitter } from "@/scripts/shims/events.js";
import { inherits } from "@/scripts/shims/util.js";

describe("the EventEmitter of the web build", () => {
  it("the EventEmitter shim calls listeners in order, with the object as this", () => {
    const heard: unknown[] = [];
    const emitter = new EventEmitter();
    emitter.on("x", function (this: unknown, ...args) {
      heard.push(this === emitter, ...args);
    });
    emitter.on("x", () => heard.push("second"));
    expect(emitter.emit("x", 1, 2)).toBe(true);
    expect(heard).toEqual([true, 1, 2, "second"]);
  });

  it("the EventEmitter shim keeps listeners per object, without a constructor call", () => {
    const parent: EventEmitter = Object.create(EventEmitter.prototype);
    const child: EventEmitter = Object.create(parent);
    parent.on("x", () => {});
    expect(parent.listeners("x")).toHaveLength(1);
    expect(child.listeners("x")).toEqual([]);
    child.on("x", () => {});
    child.on("x", () => {});
    expect(parent.listeners("x")).toHaveLength(1);
  });

  it("the EventEmitter shim throws an error event without a listener", () => {
    expect(() => new EventEmitter().emit("error", new RangeError("no"))).toThrow(RangeError);
    expect(new EventEmitter().emit("other")).toBe(false);
  });
});

describe("inherits", () => {
  it("inherits sets the parent's prototype as the prototype of the child's", () => {
    function Child(): void {}
    inherits(Child, Error);
    expect(Object.getPrototypeOf(Child.prototype)).toBe(Error.prototype);
  });
});
