import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");

/** The apps of this folder, elsewhere, with the packed package and its dependencies as if npm had installed them. */
export class Workspace implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(...apps: readonly string[]): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), "oslo-consumers-")));
    try {
      await workspace.#install();
      await Promise.all(apps.map((app) => workspace.#add(app)));
      return workspace;
    } catch (error) {
      await workspace[Symbol.asyncDispose]();
      throw error;
    }
  }

  path(...parts: readonly string[]): string {
    return join(this.#directory, ...parts);
  }

  /** Runs a script of an app's package.json, with the bundlers that are here. Gives all that it printed. */
  async build(app: string, script = "build"): Promise<string> {
    const PATH = [join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
    const env = { ...process.env, PATH, NO_COLOR: "1", FORCE_COLOR: "0", NODE_ENV: undefined };
    const { stdout, stderr } = await run("npm", ["run", "--silent", script], { cwd: this.path(app), env });
    return stdout + stderr;
  }

  async #install(): Promise<void> {
    const modules = this.path("node_modules");
    const installed = join(modules, "oslo-messaging");
    await mkdir(installed, { recursive: true });
    // no build by npm's prepare: other tests use dist at the same time
    const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", this.#directory];
    const { stdout } = await run("npm", pack, { cwd: ROOT });
    const tarball = this.path(stdout.trim());
    await run("tar", ["-xzf", tarball, "--strip-components", "1", "-C", installed]);
    await rm(tarball);
    const { dependencies } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    await Promise.all(
      Object.keys(dependencies).map((name) => symlink(join(ROOT, "node_modules", name), join(modules, name))),
    );
  }

  async #add(app: string): Promise<void> {
    await cp(join(import.meta.dirname, app), this.path(app), { recursive: true });
    await symlink(this.path("node_modules"), this.path(app, "node_modules"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
