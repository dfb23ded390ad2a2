// What workerd runs: a request brings the setting, the answer is reports as lines of JSON.
import * as oslo from "oslo-messaging";
import { perform } from "./perform.js";

export default {
  fetch(request: Request): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    request
      .json()
      .then((setting) =>
        perform(oslo, setting, (report) => writer.write(encoder.encode(`${JSON.stringify(report)}\n`))),
      )
      .then(() => writer.close())
      .catch((error) => writer.abort(error));
    return new Response(readable);
  },
};
