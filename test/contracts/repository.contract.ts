import { beforeEach, describe, expect, test } from "vitest";
import type { GitClaim, Repository } from "../../pkg/git/repository.ts";

/** What a repository under test must be able to do beside its interface: play the user and the agent. */
export interface RepositoryWorld {
  repository: Repository;
  /** Commits `files` on the user's target branch; returns the commit. */
  userCommits(files: Readonly<Record<string, string>>): Promise<string>;
  /** Writes `files` into a checkout and commits them on its branch; returns the commit. */
  agentCommits(checkout: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** Writes without a commit. */
  agentWrites(checkout: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** Has a checkout be one that can't be read any more. */
  damage(checkout: string): Promise<void>;
  /** Where a branch of the user's repository is. */
  branch(name: string): Promise<string | undefined>;
  /** Content of a file in a commit of the user's repository. */
  read(commit: string, path: string): Promise<string | undefined>;
}

const identity = { name: "agent-1", email: "agent-1@bosun.localhost" };
const branch = "agent-1/project-101";

/** Holds for every Repository. The world starts with one commit of `notes.txt` on the target. */
export function repositoryContract(name: string, open: () => Promise<RepositoryWorld>): void {
  describe(`${name} keeps the contract of Repository`, () => {
    let world: RepositoryWorld;
    let repository: Repository;
    beforeEach(async () => {
      world = await open();
      repository = world.repository;
    });

    const claim = (number: number, agent = "agent-1"): GitClaim => ({
      project: "retry-uploads",
      number,
      agent,
    });

    async function claimed(number = 1) {
      await repository.recordClaim(claim(number));
      return repository.ensureCheckout(claim(number), { branch, identity, purpose: "execute" });
    }

    async function targetNow(): Promise<string> {
      const target = await repository.target();
      if (target.is !== "present") throw new Error("The world has no target.");
      return target.value;
    }

    const merge = (target: string, head: string) =>
      repository.planMerge({
        target,
        head,
        message: "Merge retry-uploads\n",
        identity,
        dateSeconds: 1_700_000_000,
      });

    test("the target is the user's branch at first", async () => {
      expect(await targetNow()).toBe(await world.branch("main"));
    });

    test("a claim's number is kept, and a lower one is refused as stale", async () => {
      expect(await repository.claimNumber("retry-uploads")).toBe(0);
      await repository.recordClaim(claim(2));
      await repository.recordClaim(claim(2));

      await expect(repository.recordClaim(claim(1))).rejects.toMatchObject({ reason: "StaleClaim" });
      expect(await repository.claimNumber("retry-uploads")).toBe(2);
    });

    test("a checkout starts at the target, and asking again gives the same one", async () => {
      const checkout = await claimed();

      expect(checkout).toMatchObject({ branch, base: await targetNow() });
      expect(await claimed()).toEqual(checkout);
      expect(await repository.checkoutState(claim(1), "execute")).toMatchObject({
        is: "present",
        value: { head: checkout.base, dirty: false },
      });
    });

    test("a claim without a checkout has none: absent, not unknown", async () => {
      expect(await repository.checkoutState(claim(9), "execute")).toEqual({ is: "absent" });
      expect(await repository.saveWork(claim(9), "save", identity)).toEqual({ is: "absent" });
      expect(await repository.release(claim(9), "execute")).toBe("absent");
    });

    test("an uncommitted file makes a checkout dirty and changes its fingerprint", async () => {
      const checkout = await claimed();
      const before = await repository.checkoutState(claim(1), "execute");
      await world.agentWrites(checkout.path, { "new.txt": "new\n" });
      const after = await repository.checkoutState(claim(1), "execute");

      if (before.is !== "present" || after.is !== "present") throw new Error("The checkout is gone.");
      expect(after.value.dirty).toBe(true);
      expect(after.value.fingerprint).not.toBe(before.value.fingerprint);
      expect(after.value.head).toBe(before.value.head);
    });

    test("saved work becomes a commit that can be collected, and saving again changes nothing", async () => {
      const checkout = await claimed();
      await world.agentWrites(checkout.path, { "new.txt": "half done\n" });

      const saved = await repository.saveWork(claim(1), "Save unfinished work", identity);
      if (saved.is !== "present") throw new Error("Nothing was saved.");
      expect(await repository.saveWork(claim(1), "Save unfinished work", identity)).toEqual(saved);
      expect(await repository.checkoutState(claim(1), "execute")).toMatchObject({ value: { dirty: false } });
      expect(await repository.collect(claim(1), branch)).toBe(saved.value);
      expect(await world.read(saved.value, "new.txt")).toBe("half done\n");
    });

    test("collecting brings the branch to the user's repository, and again changes nothing", async () => {
      const checkout = await claimed();
      const head = await world.agentCommits(checkout.path, { "a.txt": "a\n" });

      expect(await repository.collect(claim(1), branch)).toBe(head);
      expect(await repository.collect(claim(1), branch)).toBe(head);
      expect(await world.branch(branch)).toBe(head);
      expect(await repository.commits(checkout.base, head)).toMatchObject([{ id: head }]);
      const changes = await repository.changes(checkout.base, head, 10_000);
      expect(changes.paths).toEqual(["a.txt"]);
      expect(changes.patch).toContain("+a");
      // What others have done since the work began is none of its changes.
      const target = await world.userCommits({ "b.txt": "b\n" });
      expect(await repository.changes(target, head, 10_000)).toEqual(changes);
    });

    test("a stale claim collects nothing once a newer one is recorded", async () => {
      const checkout = await claimed();
      await world.agentCommits(checkout.path, { "zombie.txt": "late\n" });
      await repository.recordClaim(claim(2, "agent-2"));

      await expect(repository.collect(claim(1), branch)).rejects.toMatchObject({
        name: "TerminalError",
        reason: "StaleClaim",
      });
      expect(await world.branch(branch)).toBeUndefined();
    });

    test("a stale claim gets no checkout, neither a new one nor the one that it had", async () => {
      await claimed();
      await repository.recordClaim(claim(3, "agent-2"));

      const stale = { name: "TerminalError", reason: "StaleClaim" };
      for (const number of [1, 2])
        await expect(
          repository.ensureCheckout(claim(number), { branch, identity, purpose: "execute" }),
        ).rejects.toMatchObject(stale);
      expect(await repository.checkoutState(claim(2), "execute")).toEqual({ is: "absent" });
    });

    test("of two agents with one number the first holds the claim, and the other collects nothing", async () => {
      const checkout = await claimed();
      await world.agentCommits(checkout.path, { "a.txt": "a\n" });

      const stale = { name: "TerminalError", reason: "StaleClaim" };
      await expect(repository.recordClaim(claim(1, "agent-2"))).rejects.toMatchObject(stale);
      await expect(repository.collect(claim(1, "agent-2"), branch)).rejects.toMatchObject(stale);
      expect(await world.branch(branch)).toBeUndefined();
    });

    test("a clean merge has the reviewed commit in it, the same commit each time, and moves nothing", async () => {
      const checkout = await claimed();
      const head = await world.agentCommits(checkout.path, { "a.txt": "a\n" });
      await repository.collect(claim(1), branch);
      await world.userCommits({ "b.txt": "b\n" });
      await repository.syncTarget();
      const target = await targetNow();

      const plan = await merge(target, head);
      expect(plan).toMatchObject({ is: "clean", rebased: false });
      expect(await merge(target, head)).toEqual(plan);
      expect(await targetNow()).toBe(target);
      expect(await repository.targetContains(head)).toBe(false);
    });

    test("a merge that changes the same lines differently is a conflict that names the file", async () => {
      const checkout = await claimed();
      const head = await world.agentCommits(checkout.path, { "notes.txt": "the agent's\n" });
      await repository.collect(claim(1), branch);
      await world.userCommits({ "notes.txt": "the user's\n" });
      await repository.syncTarget();

      expect(await merge(await targetNow(), head)).toEqual({ is: "conflict", files: ["notes.txt"] });
    });

    test("the target is swapped from where it was expected only, and the user's branch follows", async () => {
      const checkout = await claimed();
      const head = await world.agentCommits(checkout.path, { "a.txt": "a\n" });
      await repository.collect(claim(1), branch);
      const from = await targetNow();
      const plan = await merge(from, head);
      if (plan.is !== "clean") throw new Error("The merge is not clean.");

      expect(await repository.swapTarget(head, plan.commit)).toBe(false);
      expect(await targetNow()).toBe(from);
      expect(await repository.swapTarget(from, plan.commit)).toBe(true);
      expect(await targetNow()).toBe(plan.commit);
      expect(await repository.targetContains(head)).toBe(true);
      expect(await repository.syncTarget()).toEqual({ is: "inSync", commit: plan.commit });
      expect(await world.branch("main")).toBe(plan.commit);
    });

    test("new commits of the user become part of the target", async () => {
      await targetNow();
      const commit = await world.userCommits({ "b.txt": "b\n" });

      expect(await repository.syncTarget()).toEqual({ is: "inSync", commit });
      expect(await repository.targetContains(commit)).toBe(true);
    });

    test("a clean and collected checkout is removed; asking again finds none", async () => {
      const checkout = await claimed();
      await world.agentCommits(checkout.path, { "a.txt": "a\n" });
      await repository.collect(claim(1), branch);

      expect(await repository.release(claim(1), "execute")).toBe("removed");
      expect(await repository.release(claim(1), "execute")).toBe("absent");
      expect(await repository.checkoutState(claim(1), "execute")).toEqual({ is: "absent" });
    });

    test("a dirty checkout is quarantined, and so is one that was not collected", async () => {
      const dirty = await claimed(1);
      await world.agentWrites(dirty.path, { "new.txt": "new\n" });
      expect(await repository.release(claim(1), "execute")).toBe("quarantined");

      const uncollected = await claimed(2);
      await world.agentCommits(uncollected.path, { "a.txt": "a\n" });
      expect(await repository.release(claim(2), "execute")).toBe("quarantined");
      expect(await repository.checkoutState(claim(2), "execute")).toEqual({ is: "absent" });
    });

    test("a damaged checkout says so, collects nothing and is quarantined; asking again gives another at what was collected", async () => {
      const { path } = await claimed();
      const head = await world.agentCommits(path, { "new.txt": "new\n" });
      await repository.collect(claim(1), branch);
      await world.agentCommits(path, { "newer.txt": "newer\n" });
      await world.damage(path);

      const damaged = { is: "unknown", isDamaged: true };
      expect(await repository.checkoutState(claim(1), "execute")).toMatchObject(damaged);
      expect(await repository.saveWork(claim(1), "Save", identity)).toMatchObject(damaged);
      await expect(repository.collect(claim(1), branch)).rejects.toMatchObject({ reason: "CheckoutDamaged" });
      expect(await repository.release(claim(1), "execute")).toBe("quarantined");
      const asked = { branch, from: head, identity, purpose: "execute" } as const;
      const again = await repository.ensureCheckout(claim(1), asked);
      expect(again).toMatchObject({ path, branch, base: head });
      const more = await world.agentCommits(again.path, { "again.txt": "again\n" });
      expect(await repository.collect(claim(1), branch)).toBe(more);
    });

    test("a review has a checkout of its own, at the commit under review", async () => {
      const checkout = await claimed();
      const head = await world.agentCommits(checkout.path, { "a.txt": "a\n" });
      await repository.collect(claim(1), branch);
      const reviewer = claim(1, "agent-7");
      const review = await repository.ensureCheckout(reviewer, {
        branch: "",
        from: head,
        identity,
        purpose: "review",
      });

      expect(review).toMatchObject({ branch: "", base: head });
      expect(review.path).not.toBe(checkout.path);
      expect(await repository.release(reviewer, "review")).toBe("removed");
      expect(await repository.checkoutState(claim(1), "execute")).toMatchObject({ is: "present" });
    });
  });
}
