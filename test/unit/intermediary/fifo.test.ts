import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "@/src/intermediary/fifo.js";

test("a fifo returns its items in order, whatever the sequence of pushes and shifts", () => {
  const counts = fc.array(fc.nat(3000), { maxLength: 20 });
  const property = fc.property(counts, (counts) => {
    const fifo = new Fifo<number>();
    const shifted: number[] = [];
    let pushed = 0;
    counts.forEach((count, step) => {
      for (let i = 0; i < count && step % 2 === 0; i++) fifo.push(pushed++);
      for (let i = 0; i < count && step % 2 === 1; i++) shifted.push(...take(fifo));
      expect(fifo.size).toBe(pushed - shifted.length);
    });
    while (fifo.size > 0) shifted.push(...take(fifo));
    expect(shifted).toEqual(Array.from({ length: pushed }, (_, i) => i));
  });
  void fc.assert(property, { numRuns: 30 });
});

test("an empty fifo returns undefined", () => {
  const fifo = new Fifo<string>();
  expect([fifo.first, fifo.shift(), fifo.size]).toEqual([undefined, undefined, 0]);
});

function take(fifo: Fifo<number>): number[] {
  const { first } = fifo;
  const item = fifo.shift();
  if (item !== first) throw new Error(`${first} was the first, and ${item} was shifted`); // expect is too slow here
  return item === undefined ? [] : [item];
}
