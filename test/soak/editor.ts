/** A person who edits files while clients write the same objects: what is saved must come about, whatever is killed. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sight, Write } from "./history.ts";

/**
 * How long an edit is waited for before another file is edited, in milliseconds. Killed again and again, a server that is
 * slow to start shows little of what it knows: whether an edit is lost is told at the end.
 */
const patienceMsDefault = 20_000;
const lookMs = 10;

export interface Editor {
  /** What was saved and never came about, in words; once `end` has resolved. */
  readonly lost: readonly string[];
  readonly edits: number;
  /** Nothing more is saved; resolves when all that was saved has come about, or is lost. */
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
  /** Three times as long an edit may take once nothing is killed any more. */
  readonly patienceMs?: number;
}

export function startEditor(options: EditorOptions): Editor {
  const { folder, names, writes, watchers, random, patienceMs = patienceMsDefault } = options;
  const lost: string[] = [];
  /** By file: the save that has not come about yet, and must not be saved over. */
  const open = new Map<string, Saved>();
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
      for (const saved of open.values())
        if (wasUnwatched(saved) || (await comesAbout(saved, 3 * patienceMs))) note(saved);
        else
          lost.push(`${saved.key} was saved as ${saved.token}, and that never came about. ${whereIs(saved)}`);
    },
  };

  async function work(): Promise<void> {
    // What comes about before anybody looks, and is written over, would seem lost.
    while (watchers.some((sights) => sights.length === 0)) await sleep(lookMs);
    while (editing) {
      const key = names[Math.floor(random() * names.length)] ?? "";
      const before = open.get(key);
      if (before === undefined) await edit(key);
      else if (await comesAbout(before, lookMs)) note(before);
      await sleep(random() * 20);
    }
  }

  async function edit(key: string): Promise<void> {
    const saved = {
      key,
      token: `saved-${++edits}`,
      calledMs: performance.now(),
      lists: watchers.map(listsIn),
    };
    save(path.join(folder, `${key}.yaml`), saved.token);
    open.set(key, saved);
    if (await comesAbout(saved, patienceMs)) note(saved);
  }

  function note({ key, token, calledMs }: Saved): void {
    open.delete(key);
    const returnedMs = performance.now();
    writes.push({ key, kind: "patch", token, calledMs, returnedMs, outcome: { is: "unknown" } });
  }

  /** Every watcher has listed anew since: what came about in between and was written over, nobody saw. */
  function wasUnwatched({ lists }: Saved): boolean {
    return watchers.every((sights, index) => listsIn(sights) > (lists[index] ?? 0));
  }

  /** For whoever looks for the cause. */
  function whereIs({ key, token }: Saved): string {
    const text = readFileSync(path.join(folder, `${key}.yaml`), "utf8");
    if (text.includes(token)) return "Its file says it still: it was never taken.";
    return `Its file says ${/(saved|token)-\d+/.exec(text)?.[0]}: it was taken unseen, or written over.`;
  }

  async function comesAbout({ key, token }: Saved, limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
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

interface Saved {
  readonly key: string;
  readonly token: string;
  readonly calledMs: number;
  /** How often each watcher had listed when it was saved. */
  readonly lists: readonly number[];
}

function listsIn(sights: readonly Sight[]): number {
  return sights.filter(({ is }) => is === "list").length;
}

/** As an editor saves: a whole new file in the place of the old one. */
function save(file: string, token: string): void {
  const text = readFileSync(file, "utf8").replace(/(saved|token)-\d+/, token);
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.swp`);
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
