import { describe, expect, it } from "vitest";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { dialStream } from "@/test/fixtures/beds/transport-beds.js";
import { Probe, pattern } from "@/test/fixtures/fakes/socket-probe.js";
import { rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";

const never = new AbortController().signal;
const at = (port: number) => ({ scheme: "amqp", hostname: "127.0.0.1", port });
const cut = /^tcp 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+: the peer did not close the stream within 2000 ms$/;

// These tests take the real seconds of the timeout.
describe.concurrent.each([
  { name: "a TCP stream", dial: tcpDial },
  { name: "a stream of another runtime", dial: dialStream },
])("$name that is closed", ({ dial }) => {
  it("a closed stream is cut when the peer never ends its side", async () => {
    await using server = await rawTcpServer({ allowHalfOpen: true }, (stream) => stream.resume());
    const probe = new Probe();
    const socket = await dial(at(server.port), probe, never);
    socket.close();
    await probe.until((p) => p.closed);
    expect(probe.closes[0]?.message).toMatch(cut);
  });

  it("a closed stream is cut when the peer continues to send and never ends its side", async () => {
    await using server = await rawTcpServer({ allowHalfOpen: true }, (stream) => {
      const timer = setInterval(() => stream.write("tick"), 100);
      stream.resume().once("close", () => clearInterval(timer));
    });
    const probe = new Probe();
    const socket = await dial(at(server.port), probe, never);
    socket.close();
    await probe.until((p) => p.closed);
    expect(probe.closes[0]?.message).toMatch(cut);
  });

  it("a closed stream is cut when the peer has stopped reading", async () => {
    await using server = await rawTcpServer({}, (stream) => stream.pause());
    const probe = new Probe();
    const socket = await dial(at(server.port), probe, never);
    while (socket.send(pattern(1024 * 1024)) || socket.buffered < 4 * 1024 * 1024);
    socket.close();
    await probe.until((p) => p.closed);
    expect(probe.closes[0]?.message).toMatch(cut);
  }, 10_000);

  it("a stream is cut when the peer has ended its side and stopped reading", async () => {
    await using server = await rawTcpServer({ allowHalfOpen: true }, (stream) => stream.pause().end());
    const probe = new Probe();
    const socket = await dial(at(server.port), probe, never);
    for (let i = 0; i < 16; i += 1) socket.send(pattern(1024 * 1024));
    await probe.until((p) => p.closed);
    expect(probe.closes[0]?.message).toMatch(cut);
  }, 10_000);
});
