/** A person who edits files while clients write the same objects: what is saved must come about, whatever is killed. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sight, Write } from "./history.ts";

/** How long an edit may take to come about, kills included, in milliseconds. */
const patienceMs = 30_000;
const lookMs = 10;

export interface Editor {
  /** What was saved and never came about, in words. */
  readonly lost: readonly string[];
  readonly edits: number;
  end(): Promise<void>;
}

export interface EditorOptions {
  /** Where the files are; each holds one object, in whose text `token` stands for what it says. */
  readonly folder: string;
  readonly names: readonly string[];
  /** Where the edits are noted, as writes of which nobody says whether they happened. */
  readonly writes: Write[];
  readonly watchers: readonly (readonly Sight[])[];
  readonly random: () => number;
}

export function startEditor({ folder, names, writes, watchers, random }: EditorOptions): Editor {
  const lost: string[] = [];
  let edits = 0;
  let editing = true;
  const working = work();
  return {
    lost,
    get edits() {
      return edits;
    },
    async end() {
      editing = false;
      await working;
    },
  };

  async function work(): Promise<void> {
    while (editing) {
      const key = names[Math.floor(random() * names.length)] ?? "";
      const token = `saved-${++edits}`;
      const calledMs = performance.now();
      save(path.join(folder, `${key}.yaml`), token);
      const seen = await comesAbout(key, token);
      const returnedMs = performance.now();
      writes.push({ key, kind: "patch", token, calledMs, returnedMs, outcome: { is: "unknown" } });
      if (!seen) lost.push(`${key} was saved as ${token}, and that never came about.`);
      await sleep(random() * 20);
    }
  }

  async function comesAbout(key: string, token: string): Promise<boolean> {
    const endMs = performance.now() + patienceMs;
    const isIt = (sight: Sight): boolean =>
      sight.is === "event"
        ? sight.token === token && sight.key === key
        : sight.objects.get(key)?.token === token;
    while (performance.now() < endMs) {
      if (watchers.some((sights) => sights.slice(-200).some(isIt))) return true;
      await sleep(lookMs);
    }
    return watchers.some((sights) => sights.some(isIt));
  }
}

/** As an editor saves: a whole new file in the place of the old one. */
function save(file: string, token: string): void {
  const text = readFileSync(file, "utf8").replace(/(saved|token)-\d+/, token);
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.swp`);
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
