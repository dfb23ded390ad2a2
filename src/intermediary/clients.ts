import type { Connection } from "../core/connection/connection.js";

/** A client that was let in. */
export interface Client {
  /** The same as long as it is connected, and never another one's. */
  readonly id: string;
  readonly connection: Connection;
  /** As whom it was let in, if that was said. */
  readonly username: string | undefined;
  /** How many links it has. */
  links: number;
}

/** All clients that are connected, the oldest first. */
export class Clients implements Iterable<Client> {
  readonly #clients = new Map<Connection, Client>();
  #added = 0;

  get size(): number {
    return this.#clients.size;
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#clients.values();
  }

  /** It stays until its connection is over. */
  add(connection: Connection, username: string | undefined): void {
    this.#added++;
    this.#clients.set(connection, { id: `${this.#added}`, connection, username, links: 0 });
    void connection.closed.then(() => this.#clients.delete(connection));
  }

  /** @throws Error for a connection that was not added. */
  of(connection: Connection): Client {
    const client = this.#clients.get(connection);
    if (client === undefined) throw new Error(`${connection.socket.id} is not connected`);
    return client;
  }
}

/** How many links each client has to one address, in one direction. */
export class LinkCounts implements Iterable<[Client, number]> {
  readonly #counts = new Map<Client, number>();

  /** How many clients have some. */
  get size(): number {
    return this.#counts.size;
  }

  [Symbol.iterator](): Iterator<[Client, number]> {
    return this.#counts.entries();
  }

  has(client: Client): boolean {
    return this.#counts.has(client);
  }

  add(client: Client): void {
    this.#counts.set(client, (this.#counts.get(client) ?? 0) + 1);
  }

  delete(client: Client): void {
    const left = (this.#counts.get(client) ?? 0) - 1;
    if (left > 0) this.#counts.set(client, left);
    else this.#counts.delete(client);
  }
}
