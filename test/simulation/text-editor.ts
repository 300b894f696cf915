/** A person who edits Projects as texts: comments, fields, broken and half-written files, files that go and come back. */
import { keyString } from "../../pkg/api/meta.ts";
import type { Prng } from "./kernel/prng.ts";
import { SavedTexts } from "./promises/your-files.ts";
import type { SimTexts } from "./world/texts.ts";
import type { World } from "./world.ts";

const minute = 60_000;

export interface TextEditor {
  /** One edit of one file. What it leaves behind is put right `later`, or when all is put right. */
  edit(later: (maxMs: number, act: () => unknown) => void): Promise<void>;
  /** Every file that was left broken or away is as it was. */
  putRight(): Promise<void>;
}

export function textEditor({ api, prng }: World, texts: SimTexts): TextEditor {
  const chance = prng("texts");
  const saved = new SavedTexts();
  /** By path: what a file said before it was broken or removed. */
  const before = new Map<string, string>();
  let notes = 0;

  const save = (path: string, text: string): void => {
    saved.saved(path, text);
    texts.save(path, text);
  };
  const mend = (path: string): void => {
    const text = before.get(path);
    before.delete(path);
    if (text !== undefined) save(path, text);
  };
  return {
    async edit(later) {
      const name = pick(chance, api.objects("Project"))?.metadata.name ?? "";
      const path = `projects/${name}.yaml`;
      const text = await texts.text(path);
      if (text === undefined || before.has(path)) return;
      if (api.object("Project", name) === undefined) saved.gone(path);
      saved.seen(path, text);
      notes += 1;
      const roll = chance.next();
      if (roll < 0.3) save(path, `# Note ${notes} ${keyString({ namespace: "", name })}\n${text}`);
      else if (roll < 0.6)
        save(path, text.replace(/^(\s*title:).*$/m, `$1 Said anew ${notes} # note ${notes}`));
      else if (roll < 0.7) {
        // As an editor does that writes in place: half of it is there for a moment.
        before.set(path, text);
        texts.save(path, text.slice(0, chance.below(text.length)));
        later(2000, () => mend(path));
      } else if (roll < 0.85) {
        before.set(path, text);
        texts.save(path, `${text}\n  broken: [\n`);
        later(20 * minute, () => mend(path));
      } else {
        before.set(path, text);
        saved.gone(path);
        await texts.remove(path);
        if (chance.chance(0.6)) later(chance.chance(0.5) ? 4000 : 20 * minute, () => mend(path));
        else before.delete(path);
      }
    },
    async putRight() {
      for (const path of [...before.keys()]) mend(path);
      for (const { metadata } of api.objects("Project")) {
        const path = `projects/${metadata.name}.yaml`;
        const text = await texts.text(path);
        if (text !== undefined) saved.seen(path, text);
      }
    },
  };
}

function pick<T>(chance: Prng, items: readonly T[]): T | undefined {
  return items[chance.below(Math.max(1, items.length))];
}
