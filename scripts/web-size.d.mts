/** Sizes in bytes. */
export interface WebSize {
  minified: number;
  gzip: number;
  /** Minified bytes by module path. */
  modules: Readonly<Record<string, number>>;
}

export interface AcceptedSize extends WebSize {
  /** Maximum of `gzip`. */
  budget: number;
}

export function measure(code: string, inputs: Readonly<Record<string, { bytesInOutput: number }>>): WebSize;
export function gzip(code: string | Uint8Array): number;
export function accepted(size: WebSize): AcceptedSize;
export function describe(size: WebSize, accepted: AcceptedSize, rpcOnly: number): string;
export function check(size: WebSize, accepted: AcceptedSize): void;
