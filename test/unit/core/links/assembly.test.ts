import fc from "fast-check";
import { expect, it } from "vitest";
import { Assembly } from "@/src/core/links/assembly.js";

it("an assembly concatenates payloads of any sizes", () => {
  const size = fc.oneof(fc.nat(20), fc.nat(2_000), fc.integer({ min: 16_000, max: 17_000 }), fc.constant(0));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
      const assembly = new Assembly();
      const expected: Uint8Array[] = [];
      for (const [number, size] of sizes.entries()) {
        const payload = new Uint8Array(size).fill(number + 1);
        expected.push(payload.slice());
        assembly.add(payload);
        if (size < 16_384) payload.fill(0xee); // a small one is copied
      }
      const all = Buffer.concat(expected);
      expect(assembly.bytes).toBe(all.length);
      expect(Buffer.compare(all, assembly.whole())).toBe(0);
    }),
  );
});

it("an assembly of empty and tiny payloads uses memory for their bytes only", () => {
  const assembly = new Assembly();
  const before = process.memoryUsage();
  const [nothing, one] = [new Uint8Array(0), new Uint8Array(1)];
  for (let i = 0; i < 1_000_000; i++) {
    assembly.add(nothing);
    assembly.add(one);
  }
  const after = process.memoryUsage();
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(50_000_000);
  expect(assembly.whole()).toHaveLength(1_000_000);
});
