/** The library, as a runtime has loaded it. */
export type Library = typeof import("oslo-messaging");

/** What a runtime is told before it performs: JSON. */
export interface Setting {
  /** The message bus, by the scheme that this runtime uses here. */
  readonly url: string;
  /** Where Python serves RPC, with the methods of test/peers/py_server.py, under the server name `python`. */
  readonly pythonTopic: string;
  /** Where Python listens for notifications. */
  readonly pythonNotifications: string;
  /** Where the stage hand serves: see StageHandMethods. */
  readonly stageHandTopic: string;
}

/** What a scenario has. */
export interface Stage extends Setting {
  readonly oslo: Library;
  /** A topic that nobody else uses. */
  uniqueTopic(what: string): string;
  /** Has something done that this runtime cannot do itself, by RPC on the same bus. */
  ask<T>(method: keyof StageHandMethods, args?: object): Promise<T>;
}

/** What the stage hand, in Node, does for a runtime. */
export interface StageHandMethods {
  /** A call by Python's client; gives the answer, throws what Python's client raised. */
  pythonCall(call: object): Promise<unknown>;
  /** A notification by Python's notifier. */
  pythonNotify(notification: object): Promise<unknown>;
  /** Waits until Python's listener has seen a notification of this event type, and gives it. */
  pythonSaw(what: { eventType: string }): Promise<unknown>;
  /** Waits until Python's RPC server was told this note by a cast. */
  pythonNoted(what: { arg: string }): Promise<unknown>;
}

/** Something that is true in every runtime. Throws when it is not. */
export interface Scenario {
  /** A sentence. */
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** What became of a scenario: JSON. */
export interface Report {
  readonly name: string;
  /** Message and stack. Absent: it is true. */
  readonly failure?: string | undefined;
}
