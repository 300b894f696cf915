import { beforeEach, describe, expect, test } from "vitest";
import type { CheckCommand, CheckCommands, ChecksObservation, Quality } from "../../pkg/quality/quality.ts";

/** What a quality under test must be able to do beside its interface. */
export interface QualityWorld {
  quality: Quality;
  /** The commit the others start from. */
  base: string;
  /** Commits `files` (undefined deletes) after `parent`; returns the commit. */
  commit(parent: string, files: Readonly<Record<string, string | undefined>>): Promise<string>;
  /** Commands whose end is known. */
  commands: Readonly<Record<"passes" | "fails" | "isMissing" | "runsNoTest" | "neverEnds", CheckCommand>>;
}

/** Holds for every Quality. */
export function qualityContract(name: string, open: () => Promise<QualityWorld>): void {
  describe(`${name} keeps the contract of Quality`, () => {
    let world: QualityWorld;
    let quality: Quality;
    beforeEach(async () => {
      world = await open();
      quality = world.quality;
    });

    async function done(commit: string, commands: CheckCommands) {
      const observation = await settled(quality, commit, commands);
      if (observation.is !== "done") throw new Error("The checks did not end.");
      return observation;
    }

    test("no commands are passed at once, with no results", async () => {
      expect(await quality.checks(world.base, {})).toEqual({ is: "done", passed: true, results: [] });
    });

    test("checks are started and not waited for, and wake whoever subscribed when they end", async () => {
      const commands = { test: world.commands.passes };

      expect(await quality.checks(world.base, commands)).toEqual({ is: "running" });
      const end = await done(world.base, commands);
      expect(end.passed).toBe(true);
      expect(end.results).toMatchObject([{ name: "test", result: "Passed", exitCode: 0 }]);
    });

    test("one failed command fails the whole, and the others are still told", async () => {
      const end = await done(world.base, { lint: world.commands.fails, test: world.commands.passes });

      expect(end.passed).toBe(false);
      expect(end.results.map(({ name, result }) => [name, result])).toEqual([
        ["lint", "Failed"],
        ["test", "Passed"],
      ]);
    });

    test("after a failed setup nothing else runs", async () => {
      const end = await done(world.base, { setup: world.commands.fails, test: world.commands.passes });

      expect(end.results.map(({ name }) => name)).toEqual(["setup"]);
      expect(end.passed).toBe(false);
    });

    for (const [command, result] of [
      ["isMissing", "Missing"],
      ["runsNoTest", "NoTests"],
      ["neverEnds", "TimedOut"],
    ] as const) {
      test(`a test command that ${command} is ${result}, and that is not passed`, async () => {
        const end = await done(world.base, { test: world.commands[command] });

        expect(end).toMatchObject({ passed: false, results: [{ name: "test", result }] });
      });
    }

    test("another commit with the same tree has the same results without a run", async () => {
      const commands = { test: world.commands.passes };
      const first = await done(world.base, commands);
      const changed = await world.commit(world.base, { "a.txt": "a\n" });
      const back = await world.commit(changed, { "a.txt": undefined });

      expect(await quality.checks(back, commands)).toEqual(first);
    });

    test("another command of the same name has a result of its own", async () => {
      expect(await done(world.base, { test: world.commands.passes })).toMatchObject({ passed: true });
      expect(await done(world.base, { test: world.commands.fails })).toMatchObject({ passed: false });
    });

    test("nothing is found in an ordinary commit", async () => {
      const head = await world.commit(world.base, { "a.txt": "a\n" });

      expect(await quality.inspect(world.base, head, [".github/**"])).toEqual([]);
    });

    test("protected paths are found, and the control plane is forbidden", async () => {
      const head = await world.commit(world.base, {
        ".github/workflows/deploy.txt": "x\n",
        ".claude-sessions/budget.yaml": "x\n",
      });
      const findings = await quality.inspect(world.base, head, [".github/deploy/**", ".github/**"]);

      expect(findings.filter(({ kind }) => kind !== "CheckConfiguration")).toMatchObject([
        { kind: "ForbiddenPath", path: ".claude-sessions/budget.yaml", commit: head },
        { kind: "ProtectedPath", path: ".github/workflows/deploy.txt", commit: head },
      ]);
    });

    test("a secret that a later commit takes away is still found, and not told", async () => {
      const secret = `ghp_${"A1b2C3d4".repeat(4)}E5f6`;
      const bad = await world.commit(world.base, { "a.txt": `token: ${secret}\n` });
      const head = await world.commit(bad, { "a.txt": "token:\n" });
      const findings = await quality.inspect(world.base, head, []);

      expect(findings).toMatchObject([{ kind: "Secret", path: "a.txt", commit: bad }]);
      expect(JSON.stringify(findings)).not.toContain(secret);
    });
  });
}

/** Asks until the checks are done; each ask but the first follows a wake. */
export async function settled(
  quality: Quality,
  commit: string,
  commands: CheckCommands,
): Promise<ChecksObservation> {
  const controller = new AbortController();
  let wake: () => void = () => undefined;
  let woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  quality.subscribe((ended) => ended === commit && wake(), controller.signal);
  try {
    for (;;) {
      const observation = await quality.checks(commit, commands);
      if (observation.is === "done") return observation;
      await woken;
      woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    controller.abort();
  }
}
