/** A registry on a log, with a folder of people's files beside it, on any disk; opened and closed as by restarts. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { Registry } from "../../pkg/registry/registry.ts";
import type { Clock } from "../../pkg/runtime/clock.ts";
import type { FileSystem } from "../../pkg/storage/file-system.ts";
import {
  openPeopleFiles,
  type PeopleFiles,
  type PeopleFilesOptions,
} from "../../pkg/storage/files/people-files.ts";
import type { FileReport } from "../../pkg/storage/files/report.ts";
import { type Log, openLog } from "../../pkg/storage/log/log.ts";
import type { StoredState } from "../../pkg/storage/storage.ts";
import { seeded } from "../../pkg/storage/testing/seeded.ts";

export const projects = "bosun.dev/projects";
const crds = await Promise.all(
  ["project", "budget"].map(async (kind) =>
    parse(await readFile(new URL(`../../crds/${kind}.yaml`, import.meta.url), "utf8")),
  ),
);

/** A registry on a log, and a folder of people's files beside it; `kill` and `open` make a restart. */
export class World {
  readonly folder: string;
  readonly fs: FileSystem;
  readonly reports: FileReport[] = [];
  headCommit = "c1";
  elapsed = 0;
  /** What else happens while the files are waited for. */
  meanwhile: () => Promise<void> = async () => {};
  registry!: Registry;
  files!: PeopleFiles;
  #log: Log | undefined;

  constructor(folder: string, fs: FileSystem) {
    this.folder = folder;
    this.fs = fs;
  }

  get clock(): Clock {
    const world = this;
    return {
      now: () => Date.UTC(2026, 0, 1) + world.elapsed,
      elapsed: () => world.elapsed,
      async sleep(ms) {
        world.elapsed += ms;
        await world.meanwhile();
      },
    };
  }

  async open(other: Partial<PeopleFilesOptions> = {}): Promise<void> {
    if (this.#log !== undefined) throw new Error("The world is open already: nobody would close its log.");
    const log = openLog({ directory: join(this.folder, ".bosun/log"), fs: this.fs, segmentBytes: 20_000 });
    let state: StoredState | undefined;
    const random = seeded(1);
    let uid = 0;
    this.registry = await Registry.open({
      storage: { ...log, open: async () => (state = await log.open()) },
      crds,
      clock: this.clock,
      random,
      ids: { uuid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}` },
      defer: setImmediate,
    });
    this.files = await openPeopleFiles({
      folder: this.folder,
      admission: this.registry,
      initialFiles: state?.files ?? [],
      initialObjects: state?.objects ?? [],
      fs: this.fs,
      clock: this.clock,
      report: (report) => this.reports.push(report),
      head: async () => this.headCommit,
      ...other,
    });
    this.#log = log;
  }

  async close(): Promise<void> {
    if (this.#log === undefined) return;
    await this.files.close();
    await this.kill();
  }

  /** As a process that dies: the files' part of what is under way is not waited for, no write is taken any more. */
  async kill(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    await log?.close();
  }

  async restart(): Promise<void> {
    await this.close();
    await this.open();
  }

  /** Lets the registry tell of its writes, and the files take them up. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    await this.files.settled();
  }

  /** Time passes, and the files are looked at before and after. */
  async pass(ms: number): Promise<void> {
    await this.files.rescan();
    this.elapsed += ms;
    await this.files.rescan();
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }

  async edit(path: string, text: string): Promise<void> {
    await this.write(path, text);
    await this.files.rescan();
  }

  project(name: string): KubeObject | undefined {
    return this.registry.newest(projects, { namespace: "default", name });
  }

  spec(name: string): Record<string, unknown> | undefined {
    return this.project(name)?.spec as Record<string, unknown> | undefined;
  }

  async patch(name: string, body: Record<string, unknown>): Promise<void> {
    await this.registry.patch(projects, { namespace: "default", name }, { type: "merge", body } as never);
  }

  messages(): string[] {
    return this.reports.map(({ reason, message }) => `${reason}: ${message}`);
  }
}

export const header = (name: string) =>
  `apiVersion: bosun.dev/v1alpha1\nkind: Project\nmetadata:\n  name: ${name}\n`;
export const project = (name: string, title = `Title of ${name}`) =>
  `${header(name)}spec:\n  title: ${title}\n`;
