import type { Connection } from "../core/connection/connection.js";

/** A client with an open connection. */
export interface Client {
  /** Identifies the client as long as it is connected; never reused. */
  readonly id: string;
  readonly connection: Connection;
  /** The name that the client authenticated with; undefined if it gave none. */
  readonly username: string | undefined;
  /** Number of links that are attached. */
  links: number;
}

/** All connected clients, the oldest first. */
export class Clients implements Iterable<Client> {
  readonly #clients = new Map<Connection, Client>();
  #added = 0;

  get size(): number {
    return this.#clients.size;
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#clients.values();
  }

  /** Adds a client. It is removed when its connection closes. */
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

/** The number of links that each client has to one address, in one direction. */
export class LinkCounts implements Iterable<[Client, number]> {
  readonly #counts = new Map<Client, number>();

  /** Number of clients that have a link. */
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
    const remaining = (this.#counts.get(client) ?? 0) - 1;
    if (remaining > 0) this.#counts.set(client, remaining);
    else this.#counts.delete(client);
  }
}
