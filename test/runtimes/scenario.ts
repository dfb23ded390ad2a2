import type { PythonCall, PythonError, PythonNotification, SeenByPython } from "../support/python.js";
import type { Stage } from "./stage.js";

/** The library, as a runtime has loaded it. */
export type Library = typeof import("oslo-messaging");

/** What a runtime is told before it performs: JSON. Every URL has the scheme that this runtime uses here. */
export interface Setting {
  /** The message bus. */
  readonly url: string;
  readonly scheme: string;
  readonly kind: "router" | "broker";
  /** The names of the scenarios to perform. Absent: all. */
  readonly only?: readonly string[] | undefined;
  /** Where Python serves RPC, with the methods of test/peers/py_server.py, under the server name `python`. */
  readonly pythonTopic: string;
  /** Where Python listens for notifications. */
  readonly pythonNotifications: string;
  /** Where the stage hand serves: see StageHandMethods. */
  readonly stageHandTopic: string;
  /** An intermediary that lets in this user by PLAIN and SCRAM, and this token. */
  readonly guarded: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly token: string;
  };
  /** An intermediary of the same kind that the stage hand starts, kills and freezes. */
  readonly fragile: string;
  /** Nothing listens there. */
  readonly nobody: string;
  /** A WebSocket server that selects no sub-protocol. */
  readonly withoutSubprotocol: string;
}

/** What the stage hand, in Node, does for a runtime. */
export interface StageHandMethods {
  /** Gives the answer. */
  pythonCall(call: PythonCall): Promise<unknown>;
  /** The same, where Python's client is to raise something: gives that. */
  pythonRaises(call: PythonCall): Promise<Pick<PythonError, "type" | "module" | "excType" | "value">>;
  pythonCast(cast: PythonCall): Promise<void>;
  pythonNotify(notification: PythonNotification): Promise<void>;
  /** Waits until Python's listener has seen another notification of this event type, and gives it. */
  pythonSaw(what: { readonly eventType: string }): Promise<SeenByPython>;
  /** Waits until Python's RPC server was told this note by a cast. */
  pythonNoted(what: { readonly arg: string }): Promise<void>;
  /** The fragile intermediary, which has nothing of what was there before. */
  start(): Promise<void>;
  /** Cuts its streams without a word; from now on nothing listens there. */
  kill(): Promise<void>;
  /** From now on not a byte passes on its streams, which stay open. */
  freeze(): Promise<void>;
}

/** Something that is true in every runtime. Throws when it is not. */
export interface Scenario {
  /** A sentence. */
  readonly name: string;
  /** The URL schemes by which it makes sense. Absent: all. */
  readonly schemes?: readonly string[] | undefined;
  readonly run: (stage: Stage) => Promise<void>;
}

/** What became of a scenario: JSON. */
export interface Report {
  readonly name: string;
  /** Message and stack. Absent: it is true. */
  readonly failure?: string | undefined;
}
