/** The part of rhea's codec that tests use to speak AMQP without ours. */
declare module "rhea/lib/frames.js" {
  interface RheaFrame {
    channel: number;
    performative?: object;
    payload?: Uint8Array;
  }
  type Make = (fields: Record<string, unknown>) => object;
  const frames: Record<
    | "open"
    | "begin"
    | "attach"
    | "flow"
    | "transfer"
    | "disposition"
    | "detach"
    | "end"
    | "close"
    | "sasl_mechanisms"
    | "sasl_outcome",
    Make
  > & {
    amqp_frame(channel: number, performative: object, payload?: Uint8Array): RheaFrame;
    sasl_frame(performative: object): RheaFrame;
    write_frame(frame: RheaFrame): Uint8Array;
    read_frame(bytes: Uint8Array): RheaFrame;
  };
  export default frames;
}

declare module "rhea/lib/message.js" {
  const message: Record<"accepted" | "released", (fields: object) => { described(): object }>;
  export default message;
}
