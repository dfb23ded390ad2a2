import { describe, expect, it } from "vitest";
import { type FlushListener, Output } from "@/src/core/links/output.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { turn } from "@/test/fixtures/stages/turn.js";

interface OutputBed {
  socket: FakeSocket;
  output: Output;
  overflows: number[];
  writable: () => number;
  write: (text: string) => void;
}

function bed(maxBufferedBytes = 1_000_000): OutputBed {
  const socket = new FakeSocket();
  const overflows: number[] = [];
  let writable = 0;
  const output = new Output(socket, {
    maxBufferedBytes,
    onOverflow: (bytes) => overflows.push(bytes),
    onWritable: () => writable++,
  });
  const write = (text: string): void => {
    output.writer.append(Buffer.from(text, "latin1"));
    output.wrote();
  };
  return { socket, output, overflows, writable: () => writable, write };
}

describe("sent bytes", () => {
  it("writes of one turn are sent in one piece, in order", async () => {
    const { socket, write } = bed();
    for (const text of ["a", "b", "c"]) write(text);
    expect(socket.sent).toEqual([]);
    await turn();
    expect([socket.sent.length, socket.text]).toEqual([1, "abc"]);
  });

  it("a large write is sent at once, and only once", async () => {
    const { socket, write } = bed();
    write("x".repeat(100_000));
    expect(socket.text).toHaveLength(100_000);
    write("y");
    await turn();
    expect(socket.sent.map(({ length }) => length)).toEqual([100_000, 1]);
  });

  it("sent bytes are not overwritten", async () => {
    const { socket, write, output } = bed();
    const taken: Uint8Array[] = [];
    socket.onSend = (bytes) => taken.push(bytes);
    for (let i = 0; i < 300; i++) {
      write(String(i % 10).repeat(1_000));
      output.flush();
    }
    expect(taken.every((bytes, i) => bytes.every((byte) => byte === 0x30 + (i % 10)))).toBe(true);
  });

  it("bytes of flush listeners are sent before bytes written after gather()", async () => {
    const { socket, output, write } = bed();
    output.atFlush({ beforeFlush: () => write("added ") });
    write("first ");
    output.gather();
    write("last");
    await turn();
    expect(socket.text).toBe("first added last");
  });

  it("flush listeners that cause a flush are called once", async () => {
    const { socket, output, write } = bed();
    const calls: string[] = [];
    const listener = (name: string, text: string): FlushListener => ({
      beforeFlush() {
        calls.push(name);
        write(text); // long enough for a flush
      },
    });
    output.atFlush(listener("a", "A".repeat(20_000)));
    output.atFlush(listener("b", "B".repeat(20_000)));
    await turn();
    expect(calls.sort()).toEqual(["a", "b"]);
    expect([...socket.text].sort().join("")).toBe("A".repeat(20_000) + "B".repeat(20_000));
  });

  it("bytes written after the end are not sent", async () => {
    const { socket, output, write } = bed();
    write("before");
    output.end();
    expect(socket.text).toBe("before");
    write("after".repeat(10_000));
    output.atFlush({ beforeFlush: () => write("added") });
    await turn();
    output.end();
    expect(socket.text).toBe("before");
    expect(output.writable).toBe(false);
  });
});

describe("a full socket", () => {
  it("a full socket gets further frames, and is not writable until its drain, which is reported once", async () => {
    const { socket, output, write, writable } = bed();
    socket.takesMore = false;
    write("a");
    await turn();
    write("b");
    await turn();
    expect([output.writable, socket.text]).toEqual([false, "ab"]);
    socket.takesMore = true;
    output.drained();
    output.drained();
    expect([output.writable, writable()]).toEqual([true, 1]);
  });

  it("a drain after the end is ignored", async () => {
    const { socket, output, write, writable } = bed();
    socket.takesMore = false;
    write("a");
    output.end();
    output.drained();
    expect([output.writable, writable()]).toEqual([false, 0]);
  });

  it("an overflow is reported after the turn of the write that caused it", async () => {
    const { socket, output, write, overflows } = bed(1_000);
    socket.takesMore = false;
    write("x".repeat(900));
    output.flush();
    await turn();
    expect(overflows).toEqual([]);
    write("x".repeat(200));
    output.flush();
    expect(overflows).toEqual([]);
    await turn();
    expect(overflows).toEqual([1_100]);
  });
});
