import { expect, test } from "vitest";
import { connect } from "@/src/core/connection/handshake.js";
import { hostsOf } from "@/src/driver/options/hosts.js";
import { resolveOptions } from "@/src/driver/options/options.js";
import { TransportURL } from "@/src/entry/node.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { AMQP_1_0, overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";

overEveryBed(
  "A connection check",
  (bed) => {
    test("a connection check is answered each time, and the connection stays open", async () => {
      const url = TransportURL.parse(bed.bus.url("amqp"));
      const [{ address, credentials }] = hostsOf(url, resolveOptions({ query: url.query }), undefined);
      const frames = new Frames();
      const init = { containerId: `checked ${crypto.randomUUID()}`, sasl: { credentials }, onFrame: frames.onFrame };
      const connection = await connect(tcpDial, address, init, AbortSignal.timeout(10_000));
      const sender = await connection.openSender({ name: "s", source: {}, target: { address: "checked" } });
      await frames.passed("in", "begin");
      for (let times = 0; times < 3; times++) {
        connection.check();
        await frames.passed("in", "begin");
        await frames.passed("in", "end");
      }
      expect(sender.attached).toBe(true);
      await connection.close();
    });
  },
  { plans: AMQP_1_0 },
);
