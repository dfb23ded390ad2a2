import type { BuildOptions } from "esbuild";

export const root: string;
export const common: BuildOptions;
export const neutral: BuildOptions;
