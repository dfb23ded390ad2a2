import { accept, connect } from "../src/core/connection/handshake.js";
import type { Delivery } from "../src/core/links/delivery.js";
import type { Sender } from "../src/core/links/sender.js";
import { Authenticator } from "../src/core/sasl/server/authenticator.js";
import { tcpDial } from "../src/transports/node/tcp.js";
import { listenTcp } from "../src/transports/node/tcp-listener.js";
import { type Contender, check, reply, request } from "./echo.js";

const CREDIT = 500;
const REPLIES = "replies";

/** `src/core` alone at both ends, peer to peer. */
export const coreContender: Contender = {
  async serve() {
    let replies: Sender | undefined;
    const onDelivery = (delivery: Delivery): void => {
      delivery.accept();
      const { messageId, replyTo } = delivery.message;
      const value = reply(text(delivery));
      void replies?.send({ to: replyTo, correlationId: messageId, body: { type: "value", value } }, { settled: true });
    };
    const { port } = await listenTcp({
      host: "127.0.0.1",
      port: 0,
      maxConnections: 10,
      accept: (socket) =>
        accept(socket, {
          containerId: "server",
          sasl: new Authenticator(),
          onOpen() {},
          onFailure() {},
          onLink(link) {
            const termini = { source: link.source ?? {}, target: link.target ?? {} };
            if (link.role === "receiver") link.acceptReceiver({ ...termini, credit: CREDIT, onDelivery });
            else replies = link.acceptSender({ ...termini, source: { address: REPLIES, dynamic: true } });
          },
        }),
    });
    return String(port);
  },

  async connect(port) {
    const to = { scheme: "amqp", hostname: "127.0.0.1", port: Number(port) };
    const options = { containerId: "client", sasl: { credentials: undefined } };
    const connection = await connect(tcpDial, to, options, new AbortController().signal);
    const waiting = new Map<unknown, (text: string) => void>();
    const replies = await connection.openReceiver({
      name: "replies",
      source: { dynamic: true },
      target: {},
      credit: CREDIT,
      onDelivery(delivery) {
        delivery.accept();
        const { correlationId } = delivery.message;
        const answer = waiting.get(correlationId);
        waiting.delete(correlationId);
        answer?.(text(delivery));
      },
    });
    const sender = await connection.openSender({ name: "requests", source: {}, target: { address: "echo" } });
    const replyTo = replies.source?.address;
    let calls = 0;
    return async () => {
      const messageId = `id-${calls++}`;
      const answer = new Promise<string>((resolve) => waiting.set(messageId, resolve));
      const message = { messageId, to: "echo", replyTo, body: { type: "value", value: request() } } as const;
      const outcome = await sender.send(message, { settled: false });
      if (outcome.type !== "accepted") throw new Error(outcome.type);
      check(await answer);
    };
  },
};

function text(delivery: Delivery): string {
  const { body } = delivery.message;
  if (body?.type !== "value" || typeof body.value !== "string") throw new Error("the body is not a text value");
  return body.value;
}
