export function writeTrimmedRhea(path: string): Promise<string>;
