/** Something that the driver has to do. Its id, the key, is the tag of the tests that show it. */
export interface Requirement {
  /** A sentence. */
  readonly behaviour: string;
  /** Where oslo.messaging does it: the file in oslo_messaging/ of its last commit with this driver (7997a199~1), and the lines. */
  readonly source: string;
  /** The test functions of oslo.messaging's own that show it there, `Class.function`. */
  readonly upstream?: readonly string[];
}

export type Requirements = Readonly<Record<string, Requirement>>;
