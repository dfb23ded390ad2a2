import { AMQPClient, type AMQPMessage, AMQPSession } from "@cloudamqp/amqp-client";
import { type Contender, check, reply, request } from "./echo.js";

/** As many as the driver's server has by default. */
const PREFETCH = 128;
const DURABLE_MESSAGE = { deliveryMode: 2, contentType: "application/json" } as const;

/**
 * The RPC of @cloudamqp/amqp-client at both ends, through the broker at a rabbit:// URL. It promises less than ours: nothing is
 * confirmed, replies have no queue and are lost with their connection.
 */
export const amqpClientRpcContender: Contender = {
  async serve(url) {
    const session = await openSession(url);
    await session.rpcServer("bench-amqp-client", (message) => reply(textOf(message)), PREFETCH);
    return url;
  },

  async connect(url) {
    const client = await (await openSession(url)).rpcClient();
    return async () => check(textOf(await client.call("bench-amqp-client", request())));
  },
};

/** The same library with what ours promises: requests and replies are confirmed, and replies have a queue. */
export const amqpClientContender: Contender = {
  async serve(url) {
    const channel = await openChannel(url);
    const queue = await channel.queueDeclare("bench-amqp-client-confirmed");
    await channel.basicQos(PREFETCH);
    await channel.basicConsume(queue.name, { noAck: false }, async (message) => {
      const { replyTo = "", correlationId = "" } = message.properties;
      void message.ack();
      await channel.basicPublish("", replyTo, reply(textOf(message)), { ...DURABLE_MESSAGE, correlationId }, true);
    });
    return url;
  },

  async connect(url) {
    const channel = await openChannel(url);
    const waiting = new Map<string, (message: AMQPMessage) => void>();
    const { name: replyTo } = await channel.queueDeclare("");
    await channel.basicConsume(replyTo, { noAck: false }, (message) => {
      const { correlationId = "" } = message.properties;
      void message.ack();
      waiting.get(correlationId)?.(message);
      waiting.delete(correlationId);
    });
    let calls = 0;
    return async () => {
      const correlationId = `${calls++}`;
      const answer = new Promise<AMQPMessage>((resolve) => waiting.set(correlationId, resolve));
      const properties = { ...DURABLE_MESSAGE, correlationId, replyTo };
      await channel.basicPublish("", "bench-amqp-client-confirmed", request(), properties);
      check(textOf(await answer));
    };
  },
};

async function openSession(url: string): Promise<AMQPSession> {
  const session = await AMQPSession.connect(amqp(url));
  setNoDelay(session["client"] as AMQPClient);
  return session;
}

async function openChannel(url: string) {
  const client = new AMQPClient(amqp(url));
  const connected = await client.connect();
  setNoDelay(client);
  const channel = await connected.channel();
  await channel.confirmSelect();
  return channel;
}

/** With TCP's delay, the library makes 25 calls a second. */
function setNoDelay({ socket }: AMQPClient): void {
  socket?.setNoDelay(true);
}

function amqp(url: string): string {
  return url.replace("rabbit:", "amqp:");
}

function textOf(message: AMQPMessage): string {
  return message.bodyString() ?? "";
}
