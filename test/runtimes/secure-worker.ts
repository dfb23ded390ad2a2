// What workerd runs to call by TLS: a request tells how, the answer what became of it.
import * as oslo from "oslo-messaging";
import { tcpDialers } from "oslo-messaging/tcp";
import { type SecureCall, secureCall } from "./secure-call.js";

export default {
  async fetch(request: Request): Promise<Response> {
    const call = (await request.json()) as SecureCall;
    return Response.json(await secureCall(oslo, call, call.url.startsWith("amqps:") ? { dialers: tcpDialers } : {}));
  },
};
