/** Something that the driver has to do. Its id, the key, is the tag of the tests that show it. */
export interface Requirement {
  /** A sentence. */
  readonly behaviour: string;
  /**
   * The function, class or table of oslo.messaging 14.0.3 that does it there: its file in oslo_messaging/, and the lines.
   * Or it is ours, and oslo.messaging has nothing of the kind, or less of it.
   */
  readonly source: `${string}.py:${number}-${number}` | "ours";
  /** The test functions of oslo.messaging's own that show it there, `Class.function`. */
  readonly upstream?: readonly string[];
}

export type Requirements = Readonly<Record<string, Requirement>>;
