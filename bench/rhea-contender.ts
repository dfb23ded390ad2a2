import rhea from "rhea";
import { type Contender, check, reply, request } from "./echo.js";

const OPTIONS = { tcp_no_delay: true, reconnect: false, session_buffer_size: 2048, max_frame_size: 65_536 } as const;
const CREDIT = { credit_window: 500 } as const;

/** Plain rhea at both ends, peer to peer, tuned for speed: no TCP delay, and a session buffer as large as ours. */
export const rheaContender: Contender = {
  serve() {
    const container = rhea.create_container({
      ...OPTIONS,
      receiver_options: CREDIT,
      sender_options: { snd_settle_mode: 1 },
    });
    let replies: rhea.Sender | undefined;
    container.on("sender_open", ({ sender }) => {
      if (sender.source.dynamic) sender.set_source({ address: "replies", dynamic: true } as rhea.Source);
      replies = sender;
    });
    container.on("message", ({ message }) => {
      replies?.send({
        to: message?.reply_to ?? "",
        correlation_id: message?.message_id ?? "",
        body: reply(message?.body),
      });
    });
    const server = container.listen({ ...OPTIONS, host: "127.0.0.1", port: 0 });
    return new Promise((resolve) => {
      server.on("listening", () => resolve(String((server.address() as { port: number }).port)));
    });
  },

  connect: (port) => connectRhea({ host: "127.0.0.1", port: Number(port) }, "echo"),
};

/** Plain rhea at both ends, through a broker at an amqp:// URL, without a driver or an envelope except the JSON. */
export const rheaBrokerContender: Contender = {
  async serve(url) {
    const container = rhea.create_container();
    const connection = container.connect({ ...OPTIONS, ...toHost(url) });
    const replies = new Map<string, rhea.Sender>();
    container.on("message", ({ message }) => {
      const to = String(message?.reply_to);
      let sender = replies.get(to);
      if (sender === undefined) {
        sender = connection.open_sender({ target: { address: to }, snd_settle_mode: 1 });
        replies.set(to, sender);
      }
      sender.send({ to, correlation_id: message?.message_id ?? "", body: reply(message?.body) });
    });
    await opened(connection.open_receiver({ source: { address: ADDRESS }, ...CREDIT }), "receiver_open");
    return url;
  },

  connect: (url) => connectRhea(toHost(url), ADDRESS),
};

const ADDRESS = "openstack.org/om/rpc/anycast/openstack/bench-rhea";

function toHost(url: string): Host {
  const { hostname, port, username, password } = new URL(url);
  return {
    host: hostname,
    port: Number(port),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}

interface Host {
  host: string;
  port: number;
  username?: string;
  password?: string;
}

/** Connects a client of the server on `address`. */
async function connectRhea(to: Host, address: string): Promise<() => Promise<void>> {
  const container = rhea.create_container();
  const connection = container.connect({ ...OPTIONS, ...to });
  const waiting = new Map<unknown, (text: string) => void>();
  const acknowledged = new Map<number, () => void>();
  container.on("message", ({ message }) => {
    const answer = waiting.get(message?.correlation_id);
    waiting.delete(message?.correlation_id);
    answer?.(message?.body);
  });
  container.on("accepted", ({ delivery }) => {
    const { id } = delivery as unknown as { id: number };
    acknowledged.get(id)?.();
    acknowledged.delete(id);
  });
  const replies = connection.open_receiver({ source: { dynamic: true } as rhea.Source, ...CREDIT });
  const sender = connection.open_sender({ target: { address }, autosettle: true });
  await Promise.all([opened(replies, "receiver_open"), opened(sender, "sendable")]);
  let calls = 0;
  return async () => {
    const message_id = `id-${calls++}`;
    const answer = new Promise<string>((resolve) => waiting.set(message_id, resolve));
    const delivery = sender.send({ message_id, to: address, reply_to: replies.source.address, body: request() });
    await new Promise<void>((resolve) => acknowledged.set((delivery as unknown as { id: number }).id, resolve));
    check(await answer);
  };
}

function opened(link: rhea.Receiver | rhea.Sender, event: string): Promise<void> {
  return new Promise((resolve) => link.once(event, () => resolve()));
}
