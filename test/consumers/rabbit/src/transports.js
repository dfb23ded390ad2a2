import { getRpcTransport } from "oslo-messaging";
import { rabbit } from "oslo-messaging/rabbit";

export function overRabbit(url) {
  return getRpcTransport(url, { drivers: [rabbit] });
}

export function overAmqp(url) {
  return getRpcTransport(url);
}
