/** Commits as quality needs them; `pkg/git/commit-source.ts` reads them from the user's repository. */

export interface FileChange {
  path: string;
  /** Undefined: the file was not there before. */
  before: FileVersion | undefined;
  /** Undefined: the file is deleted. */
  after: FileVersion | undefined;
}

export interface FileVersion {
  blob: string;
  /** Git's: `100644`, `100755`, `120000` for a link, `160000` for a submodule. */
  mode: string;
}

export interface CommitSource {
  /** Id of the tree of a commit. */
  tree(commit: string): Promise<string>;
  /** Commits of `base..head`, oldest first, with their messages. */
  commits(base: string, head: string): Promise<readonly { id: string; message: string }[]>;
  /** What one commit changes; of a merge, what differs from each of its parents. */
  changesOf(commit: string): Promise<readonly FileChange[]>;
  /** What `head` changes since it left `base`. */
  changesBetween(base: string, head: string): Promise<readonly FileChange[]>;
  /** Contents by blob id; a submodule's commit has none. */
  contents(blobs: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** Those of `paths`, relative to the user's work tree, that git ignores there as the person has set it up. */
  ignored(paths: readonly string[]): Promise<readonly string[]>;
  /** Writes a clean checkout of `commit` to `path`, with a `.git` of its own, detached. */
  checkOut(commit: string, path: string): Promise<void>;
}
