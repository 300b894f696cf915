/** People's files as texts on the machine's disk, and the real code that keeps them and the objects together. */
import type { Registry } from "../../../pkg/registry/registry.ts";
import type { FileSystem } from "../../../pkg/storage/file-system.ts";
import { openPeopleFiles } from "../../../pkg/storage/files/people-files.ts";
import { rememberedYaml } from "../../../pkg/storage/files/remembered-yaml.ts";
import type { StoredState } from "../../../pkg/storage/storage.ts";
import { type Incarnation, Revoked } from "../kernel/scheduler.ts";
import type { SimDisk } from "./disk.ts";

const folder = "/workspace/files";
/** A watcher tells of every save; this is for what it would miss, which here is nothing, in milliseconds. */
const rescanMs = 1_800_000;

export interface TextsOptions {
  registry: Registry;
  stored: StoredState;
  fs: FileSystem;
  life: Incarnation;
}

/** So many texts are known from earlier lives: a few for each file. */
const textsMax = 500;

export class SimTexts {
  readonly #disk: SimDisk;
  readonly #readYaml = rememberedYaml(textsMax);
  #wake: () => void = () => {};

  constructor(disk: SimDisk) {
    this.#disk = disk;
    // The folder is there, as `bosun init` leaves it.
    disk.put(`${folder}/notes.txt`, "Notes of a person's.\n");
  }

  /** A life of the operator begins: it reads the folder, then follows it. */
  async open({ registry, stored, fs, life }: TextsOptions): Promise<void> {
    const until = new AbortController();
    const files = await openPeopleFiles({
      ...{ folder, fs, clock: life.clock, rescanMs, readYaml: this.#readYaml },
      admission: registry,
      initialFiles: stored.files,
      initialObjects: stored.objects,
      report: () => {},
      head: async () => "ref: refs/heads/main",
      watch: async (_folder, wake) => {
        this.#wake = () => {
          if (!life.revoked) life.defer(wake);
        };
        return async () => {};
      },
    });
    files.run(until.signal).catch((error: unknown) => {
      // Its storage ended, and the operator with it.
      if (life.revoked || error instanceof Revoked) return;
      life.defer(() => {
        throw error;
      });
    });
  }

  // What people do

  /** The text of a file; undefined where there is none. */
  text(path: string): Promise<string | undefined> {
    return this.#disk.text(`${folder}/${path}`);
  }

  /** Saves a file, safely. */
  save(path: string, text: string): void {
    this.#disk.put(`${folder}/${path}`, text);
    this.#wake();
  }

  async remove(path: string): Promise<void> {
    await this.#disk.remove(`${folder}/${path}`);
    this.#wake();
  }
}
