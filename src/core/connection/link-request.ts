import { AmqpError, type AmqpErrorInit, FRAME_TOO_LARGE } from "../errors.js";
import type { LinkInit, SettleMode, Terminus } from "../links/link.js";
import { Receiver, type ReceiverInit } from "../links/receiver.js";
import { Sender, type SenderInit } from "../links/sender.js";
import type { Session } from "../links/session.js";
import type { AttachRequest } from "./control/control-events.js";
import { linkEvents } from "./sessions.js";

/**
 * A link that the peer requests. `role` is our role. `onLink` must call one of `acceptSender`, `acceptReceiver` and
 * `refuse` before it returns; otherwise the link is refused.
 */
export interface LinkRequest {
  readonly name: string;
  readonly role: "sender" | "receiver";
  readonly source: Terminus | undefined;
  readonly target: Terminus | undefined;
  readonly settleMode: SettleMode;
  acceptSender(init: Omit<SenderInit, "name">): Sender;
  acceptReceiver(init: Omit<ReceiverInit, "name">): Receiver;
  refuse(error: AmqpErrorInit): void;
}

/**
 * Answers the peer's request with the decision of `onLink`.
 *
 * @throws AmqpError when the answer does not fit into the peer's frames.
 */
export function answerWith(onLink: (request: LinkRequest) => void, session: Session, request: AttachRequest): void {
  const { name, role, remote } = request;
  // The peer must state its own end: there is nothing to attach to without it.
  const stated = role === "sender" ? remote.target : remote.source;
  if (stated === undefined) {
    const description = `link ${name} without ${role === "sender" ? "target" : "source"}`;
    return request.refuse({ condition: "amqp:invalid-field", description });
  }
  let answered = false;
  const accept = <L extends Sender | Receiver>(link: L, init: Omit<LinkInit, "name">): L => {
    answered = true;
    session.add(link);
    link.bind(request.accept(init, linkEvents(session, link)));
    session.onAttach(link, remote);
    return link;
  };
  const refuse = (error: AmqpErrorInit): void => {
    answered = true;
    request.refuse(error);
  };
  try {
    onLink({
      name,
      role,
      source: remote.source,
      target: remote.target,
      settleMode: remote.settleMode,
      acceptSender: (init) => accept(new Sender(session, { ...init, name }), init),
      acceptReceiver: (init) => accept(new Receiver(session, { ...init, name }), init),
      refuse,
    });
  } catch (thrown) {
    if (thrown instanceof AmqpError && thrown.condition === FRAME_TOO_LARGE) throw thrown;
    session.logCallbackError("onLink", name, thrown);
  }
  if (!answered) refuse({ condition: "amqp:internal-error", description: "internal error" });
}
