import { MessagingException } from "../exceptions.js";

/**
 * Whether an implementation of version `implemented` supports `requested`: the same major and no higher minor; with the same
 * minor, no higher revision (oslo_messaging/_utils.py version_is_compatible). An undefined `implemented` supports every
 * version.
 *
 * @throws MessagingException for a malformed version.
 */
export function isCompatible(implemented: string | undefined, requested: string | undefined): boolean {
  if (implemented === undefined) return true;
  if (requested === undefined) return false;
  const [major, minor, revision] = parseVersion(implemented);
  const [majorWanted, minorWanted, revisionWanted] = parseVersion(requested);
  if (majorWanted !== major) return false;
  return minorWanted < minor || (minorWanted === minor && revisionWanted <= revision);
}

/**
 * The numbers of `1.2` or `1.2.3`; revision 0 when it is omitted. Further parts are ignored, as in oslo.
 *
 * @throws MessagingException with oslo's text for a version without major and minor.
 */
export function parseVersion(version: string): [major: number, minor: number, revision: number] {
  const [, major, minor, revision = "0"] = VERSION.exec(version) ?? [];
  if (major === undefined || minor === undefined) {
    throw new MessagingException(`Version must contain a major and minor integer. Got ${version}`);
  }
  return [Number(major), Number(minor), Number(revision)];
}

/** Whether a text is a valid version; for untrusted input. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

const VERSION = /^(\d+)\.(\d+)(?:\.(\d+)(?:\..*)?)?$/s;
