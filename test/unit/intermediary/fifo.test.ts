import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "@/src/intermediary/fifo.js";

test("gives in order what it was given, however much is pushed and shifted in between", () => {
  const counts = fc.array(fc.nat(3000), { maxLength: 20 });
  const property = fc.property(counts, (counts) => {
    const fifo = new Fifo<number>();
    const came: number[] = [];
    let pushed = 0;
    counts.forEach((count, step) => {
      for (let i = 0; i < count && step % 2 === 0; i++) fifo.push(pushed++);
      for (let i = 0; i < count && step % 2 === 1; i++) came.push(...taken(fifo));
      expect(fifo.size).toBe(pushed - came.length);
    });
    while (fifo.size > 0) came.push(...taken(fifo));
    expect(came).toEqual(Array.from({ length: pushed }, (_, i) => i));
  });
  void fc.assert(property, { numRuns: 30 });
});

test("is empty when there is nothing to shift", () => {
  const fifo = new Fifo<string>();
  expect([fifo.first, fifo.shift(), fifo.size]).toEqual([undefined, undefined, 0]);
});

function taken(fifo: Fifo<number>): number[] {
  const { first } = fifo;
  const item = fifo.shift();
  if (item !== first) throw new Error(`${first} was the first, and ${item} was shifted`); // expect is slow
  return item === undefined ? [] : [item];
}
