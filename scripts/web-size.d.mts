/** Sizes in bytes. */
export interface WebSize {
  /** Name in dist. */
  file: string;
  minified: number;
  gzip: number;
  /** Minified bytes by module path. */
  modules: Readonly<Record<string, number>>;
}

export interface AcceptedSize extends WebSize {
  /** Maximum of `gzip`. */
  budget: number;
}

export function measure(
  file: string,
  code: string,
  inputs: Readonly<Record<string, { bytesInOutput: number }>>,
): WebSize;
export function gzip(code: string | Uint8Array): number;
export function accepted(size: WebSize): AcceptedSize;
export function describe(size: WebSize, accepted: AcceptedSize): string;
export function describeRpcOnly(gzip: number): string;
export function check(size: WebSize, accepted: AcceptedSize): void;
