/** A behaviour of the driver. Its id, the key, is the tag of the tests that show it. */
export interface Requirement {
  /** A sentence. */
  readonly behaviour: string;
  /**
   * Function, class or table of oslo.messaging 14.0.3 with this behaviour: its file in oslo_messaging/, and the lines.
   * `ours` if oslo.messaging has no such behaviour, or a part of it.
   */
  readonly source: `${string}.py:${number}-${number}` | "ours";
  /** Test functions of oslo.messaging for it, `Class.function`. */
  readonly upstream?: readonly string[];
}

export type Requirements = Readonly<Record<string, Requirement>>;
