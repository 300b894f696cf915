/** What sessions do in their checkouts. */
import type { Prng } from "../kernel/prng.ts";
import type { Temper } from "./conduct.ts";
import { takeInOf } from "./prompts.ts";
import { BROKEN, SECRET } from "./quality.ts";
import type { SimCheckout, SimRepository } from "./repository.ts";

interface Place {
  repository: SimRepository;
  chance: Prng;
  temper: Temper;
}

/** How many files of the repository are worked on: few enough that agents meet. */
export const FILES = 60;
export const fileName = (index: number): string => `src/file-${index}.ts`;

export const work = { turn, finish };

/** Writes a file, and commits now and then. */
function turn(checkout: SimCheckout, { repository, chance }: Place): void {
  const act = chance.next();
  const path = fileName(chance.below(FILES));
  if (act < 0.35) checkout.dirty.set(path, `draft ${chance.below(1e9)}`);
  else if (act < 0.6) repository.commitIn(checkout, { [path]: `work ${chance.below(1e9)}` });
}

/** Takes in what it was told to, mends what is broken, and commits everything. */
function finish(
  checkout: SimCheckout,
  { repository, chance, temper, message, run }: Place & { message: string; run: number },
): void {
  const target = takeInOf(message);
  if (target !== undefined) takeIn(checkout, target, repository);
  if (run > 1 && chance.chance(0.9)) startClean(checkout, repository);
  const files: Record<string, string> = {};
  for (const [path, content] of repository.objects.get(checkout.head).tree)
    if (content.startsWith(BROKEN)) files[path] = `mended ${chance.below(1e9)}`;
  const breaks = chance.chance(temper.breaks);
  files[fileName(chance.below(FILES))] = `${breaks ? BROKEN : "done"} ${chance.below(1e9)}`;
  if (chance.chance(temper.offends)) Object.assign(files, offence(chance, temper));
  for (const [path, content] of checkout.dirty) if (content.startsWith(BROKEN)) checkout.dirty.delete(path);
  repository.commitIn(checkout, files, `Finish run ${run}`);
}

/** Merges `target` into the branch; where both changed the same, what comes out is new. */
function takeIn(checkout: SimCheckout, target: string, repository: SimRepository): void {
  const { objects } = repository;
  if (!objects.has(target) || objects.isAncestor(target, checkout.head)) return;
  if (checkout.dirty.size > 0) repository.commitIn(checkout, {});
  const { tree, conflicts } = objects.mergeTrees(checkout.head, target);
  const merged = new Map(tree);
  for (const path of conflicts)
    merged.set(path, `resolved ${checkout.head.slice(0, 9)} ${target.slice(0, 9)}`);
  repository.commitTree(checkout, [checkout.head, target], merged, "Take the target in");
}

/** Rewrites the branch as one commit without what must not be merged, as one told of a secret would. */
function startClean(checkout: SimCheckout, repository: SimRepository): void {
  const { objects } = repository;
  const base = objects.mergeBase(repository.targetHead, checkout.head);
  if (base === undefined) return;
  const offends = objects
    .between(base.id, checkout.head)
    .some(({ tree }) => [...tree].some(([path, content]) => isOffence(path, content)));
  if (!offends) return;
  const clean = [...objects.get(checkout.head).tree].filter(([path, content]) => !isOffence(path, content));
  for (const [path, content] of checkout.dirty) if (isOffence(path, content)) checkout.dirty.delete(path);
  repository.commitTree(checkout, [base.id], new Map(clean), "Begin again without it");
}

function offence(chance: Prng, temper: Temper): Record<string, string> {
  const drawn = (["Secret", "ProtectedPath", "ForbiddenPath"] as const)[chance.below(3)];
  const which = temper.offence ?? drawn;
  if (which === "Secret") return { [fileName(FILES + chance.below(9))]: `${SECRET} ${chance.below(1e9)}` };
  if (which === "ProtectedPath") return { ".github/workflows/ci.yaml": `jobs ${chance.below(1e9)}` };
  return { ".claude-sessions/budget.yaml": `spec ${chance.below(1e9)}` };
}

function isOffence(path: string, content: string): boolean {
  return content.includes(SECRET) || path.startsWith(".github/") || path.startsWith(".claude-sessions/");
}
