import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Git, GitPlace } from "./git.ts";
import { initialize } from "./init.ts";
import type { CommitIdentity } from "./repository.ts";

export interface NewCheckout {
  path: string;
  /** Commit it starts from. */
  base: string;
  /** Made at `head`; empty: detached. */
  branch: string;
  /** Where work went on to; `base` when left out. */
  head?: string;
  /** A commit whose files lie there then, as changes that nobody has committed; those of `head` when left out. */
  files?: string;
  /** Name of a further branch at `base`, to compare work with. */
  targetBranch: string;
  objectDirectory: string;
  identity: CommitIdentity;
  /** What the checkout must not appear without. */
  ready?: Promise<void>;
  /** See `OpenRepositoryOptions.fill`. */
  fill?: ((checkout: string) => Promise<readonly string[]>) | undefined;
  /** Git directories, beside the checkout's own, that must not see what `fill` copied as a change. */
  excludeIn?: readonly string[];
}

/**
 * Makes a checkout: a `git clone --shared --no-tags` in effect, without its remote and the names of all other
 * branches. Git runs here before anybody else wrote into the folder, so its configuration is the operator's.
 * The folder appears under its name only when it is complete.
 */
export async function makeCheckout(git: Git, checkout: NewCheckout): Promise<void> {
  const partial = `${checkout.path}.partial`;
  if (existsSync(partial)) await rm(partial, { recursive: true, force: true });
  mkdirSync(dirname(partial), { recursive: true });
  const place: GitPlace = { gitDirectory: join(partial, ".git"), workTree: partial };
  await initialize(git, place.gitDirectory, {
    "core.bare": "false",
    "user.name": checkout.identity.name,
    "user.email": checkout.identity.email,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "commit.gpgSign": "false",
    // Where nobody is to commit, nobody looks for what was committed.
    ...(checkout.branch === "" ? { "core.logAllRefUpdates": "false" } : {}),
  });
  // In one go, as `initialize` does.
  writeFileSync(join(place.gitDirectory, "objects", "info", "alternates"), `${checkout.objectDirectory}\n`);
  // Packed, so that no folder is made for a name with slashes; git itself checks the name as it reads it.
  const target = `${checkout.base} refs/heads/${checkout.targetBranch}`;
  writeFileSync(
    join(place.gitDirectory, "packed-refs"),
    `# pack-refs with: peeled fully-peeled sorted \n${target}\n`,
  );
  const { head = checkout.base } = checkout;
  const out = checkout.branch === "" ? ["--detach", head] : ["-b", checkout.branch, head];
  await git.text(place, ["checkout", "--quiet", ...out]);
  if (checkout.files !== undefined) {
    await git.text(place, ["read-tree", "--reset", "-u", checkout.files]);
    await git.text(place, ["read-tree", head]);
  }
  const filled = (await checkout.fill?.(partial)) ?? [];
  for (const directory of [place.gitDirectory, ...(checkout.excludeIn ?? [])]) {
    await exclude(directory, filled);
  }
  await checkout.ready?.catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true });
    throw error;
  });
  await rename(partial, checkout.path);
}

/** Keeps `paths` out of what git calls untracked, whatever ignores them in the person's own work tree. */
async function exclude(gitDirectory: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await mkdir(join(gitDirectory, "info"), { recursive: true });
  const lines = paths
    // A pattern ends with its line; a file whose name has a line break stays visible.
    .filter((path) => !path.includes("\n"))
    .map((path) => `/${path.replace(/[\\*?[\] ]/g, "\\$&")}\n`);
  await writeFile(join(gitDirectory, "info", "exclude"), lines.join(""));
}
