/** The part of Deno's global that this library uses. */
declare const Deno: {
  readonly pid: number;
  hostname(): string;
  readTextFileSync(path: string): string;
  readonly permissions: {
    querySync(permission: { name: "sys"; kind: "hostname" }): { readonly state: string };
  };
  connect(options: DenoConnectOptions & { signal: AbortSignal }): Promise<DenoConn>;
  connectTls(
    options: DenoConnectOptions & { caCerts?: string[]; cert?: string; key?: string },
  ): Promise<DenoConn & { handshake(): Promise<unknown> }>;
};

interface DenoConnectOptions {
  hostname: string;
  port: number;
}

interface DenoConn {
  readonly localAddr: DenoConnectOptions;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}
