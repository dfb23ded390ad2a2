import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Dial, SocketHandlers } from "@/src/core/byte-stream.js";
import type { Connection } from "@/src/core/connection/connection.js";
import { accept, connect } from "@/src/core/connection/handshake.js";
import { Deadlines } from "@/src/core/deadlines.js";
import { Authenticator } from "@/src/core/sasl/server/authenticator.js";
import { IntermediaryBed, textMessage } from "@/test/fixtures/beds/intermediary-bed.js";
import { saslServer, TO } from "@/test/fixtures/beds/raw-bed.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { CLIENT, SERVER } from "@/test/fixtures/peers/conversations.js";
import { FrameClient } from "@/test/fixtures/peers/frame-client.js";
import { speech, spoken } from "@/test/fixtures/peers/mutations.js";
import { Referee } from "@/test/fixtures/peers/referee.js";
import { turn } from "@/test/fixtures/stages/turn.js";

/** Longest time that one piece of untrusted input may block this process. */
const LONGEST_BLOCK_MS = 1_000;
/** Number of cases, fewer if a busy machine does not manage them in time. */
const LIMITS = { numRuns: 1_500, interruptAfterTimeLimit: 5_000 };

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => void process.on("unhandledRejection", onUnhandled));
afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

/** Hands the pieces to `data`. Fails when it throws or blocks for too long. */
async function say(pieces: readonly Uint8Array[], data: (bytes: Uint8Array) => void): Promise<void> {
  for (const piece of pieces) {
    const startedMs = performance.now();
    data(piece);
    await turn();
    expect(performance.now() - startedMs).toBeLessThan(LONGEST_BLOCK_MS);
  }
}

/** Expects an error of ours with a readable message. */
function expectNamed(cause: Error | undefined): void {
  expect(cause?.name).toMatch(/^(AmqpError|ProtocolError|ConnectionLost|AuthenticationError)$/);
  expect(cause?.message).not.toMatch(/undefined|is not a function|\[object/);
}

describe("with any input from the peer", { timeout: 15_000 }, () => {
  it("with any input, a client continues or ends with a named error, and every wait ends", async () => {
    await fc.assert(
      fc.asyncProperty(speech, async (said) => {
        const socket = new FakeSocket();
        const referee = new Referee();
        socket.onSend = (bytes) => referee.watch(bytes);
        let handlers: SocketHandlers = { data() {}, drain() {}, close() {} };
        const dial: Dial = async (_to, dialled) => {
          handlers = dialled;
          return socket;
        };
        const options = { containerId: "client", sasl: { credentials: undefined } };
        const connecting = connect(dial, TO, options, new AbortController().signal);
        const done = connecting.then(use, expectNamed);
        await turn();
        for (const bytes of saslServer()) handlers.data(bytes);
        await say(spoken(SERVER, said), (bytes) => handlers.data(bytes));
        if (!socket.isClosed) handlers.close(new Error("hung up"));
        await done;
        expect(referee.faults).toEqual([]);
      }),
      LIMITS,
    );
  });

  it("with any input, a server continues or ends with a named error, and leaves no link behind", async () => {
    await fc.assert(
      fc.asyncProperty(speech, async (said) => {
        const socket = new FakeSocket();
        const referee = new Referee();
        socket.onSend = (bytes) => referee.watch(bytes);
        let links = 0;
        let end: Promise<Error | undefined> | undefined;
        let failure: Error | undefined;
        const handlers = accept(socket, {
          containerId: "server",
          sasl: new Authenticator(),
          onOpen: (connection) => {
            end = connection.closed;
          },
          onFailure: (error) => {
            failure = error;
          },
          onLink: (request) => {
            const onDetach = (): void => void links--;
            links++;
            if (request.role === "sender")
              void request.acceptSender({ source: {}, target: {}, onDetach }).send(MESSAGE, { settled: false });
            else request.acceptReceiver({ source: {}, target: {}, onDetach, credit: 5, onDelivery: (d) => d.accept() });
          },
        });
        await say(spoken(CLIENT, said), (bytes) => handlers.data(bytes));
        if (!socket.isClosed) handlers.close(new Error("hung up"));
        await turn();
        expectNamed(failure ?? (await end));
        expect(links).toBe(0);
        expect(referee.faults).toEqual([]);
      }),
      LIMITS,
    );
  });

  it.each(["router", "broker"] as const)(
    "with any input from one client, a %s continues to serve others",
    async (kind) => {
      const bed = new IntermediaryBed({ kind });
      const bystander = await bed.connect();
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(speech, async (said) => {
          const client = new FrameClient(bed.intermediary);
          await say(spoken(CLIENT, said), (bytes) => client.say(bytes));
          client.vanish();
          await turn();
          expect(bed.intermediary.connections).toBe(1);
          await expectToServe(bed, bystander, `fine/${runs++}`);
        }),
        LIMITS,
      );
      await bed.close();
    },
  );
});

const MESSAGE = textMessage("m");

/** Uses two links with messages that wait for credit, outcomes and a drain. */
async function use(connection: Connection): Promise<void> {
  const init = { source: {}, target: {} };
  const deadline = new Deadlines().start({ ms: 60_000, expired: (phase) => new Error(`still in ${phase}`) });
  const opening = [
    connection.openSender({ ...init, name: "out" }).then(async (sender) => {
      const large = new Uint8Array(2_000);
      const outcomes = [MESSAGE, large, MESSAGE].map((message) => sender.send(message, { settled: false, deadline }));
      await Promise.all(outcomes);
      await sender.close();
    }),
    connection
      .openReceiver({ ...init, name: "in", credit: 5, onDelivery: (delivery) => delivery.accept() })
      .then(async (receiver) => {
        await turn(); // until the credit is sent
        await receiver.drain();
      }),
  ];
  const results = await Promise.allSettled(opening);
  deadline.done();
  for (const result of results) if (result.status === "rejected") expectNamed(result.reason);
  expectNamed(await connection.closed);
}

async function expectToServe(bed: IntermediaryBed, bystander: Connection, address: string): Promise<void> {
  const { receiver, inbox } = await bed.consumer(bystander, address);
  const producer = await bed.producer(bystander, address);
  const sent = producer.send(textMessage(address), { settled: false });
  expect(await inbox.nextText()).toBe(address);
  expect((await sent).type).toBe("accepted");
  await Promise.all([receiver.close(), producer.close()]);
}
