import type { BuildOptions } from "esbuild";

export interface MinifiedFile {
  code: string;
  /** The part of esbuild's output by module. */
  inputs: Readonly<Record<string, { bytesInOutput: number }>>;
}

export interface MinifiedFiles {
  web: MinifiedFile;
  rabbit: MinifiedFile;
}

export function minifiedFiles(options: BuildOptions, version: string): Promise<MinifiedFiles>;
export function bundledFiles(options: BuildOptions): Promise<MinifiedFiles>;
