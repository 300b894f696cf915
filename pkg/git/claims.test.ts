import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { TerminalError, TransientError } from "../runtime/errors.ts";
import { Claims } from "./claims.ts";
import { Git } from "./git.ts";
import { claimRef } from "./layout.ts";
import { type ProcessRequest, runProcess } from "./process.ts";
import { changeRefs } from "./refs.ts";
import type { GitClaim } from "./repository.ts";

const project = "retry-uploads";
const claim = (number: number, agent = "agent-1"): GitClaim => ({ project, number, agent });
const all = [1, 2, 3].flatMap((number) => ["agent-1", "agent-2"].map((agent) => claim(number, agent)));

function emptyRepository() {
  const folder = mkdtempSync(join(tmpdir(), "bosun-claims-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const inFolder = (args: string[], input = ""): string =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", input }).trim();
  inFolder(["init", "--quiet", "--bare", "."]);
  return { place: { gitDirectory: folder }, inFolder };
}

/** Claims, of whose changes each is begun after `meanwhile`: once it was looked who has the claim, before git moves the ref. */
function interrupted(
  place: { gitDirectory: string },
  { step, meanwhile }: { step: string; meanwhile: () => Promise<unknown> },
): Claims {
  const git = new Git(async (request: ProcessRequest) => {
    if (request.args.includes(step)) await meanwhile();
    return runProcess(request);
  });
  return new Claims(git, place);
}

const answerOf = (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);
const refusal = (kind: typeof TerminalError | typeof TransientError, reason: string) =>
  expect.objectContaining({ name: kind.name, reason });
const stale = refusal(TerminalError, "StaleClaim");
const notRecorded = refusal(TransientError, "ClaimNotRecorded");

test("numbers only grow, the first with a number has it, and it alone gets a fence", async () => {
  const { place, inFolder } = emptyRepository();
  const claims = new Claims(new Git(), place);
  await fc.assert(
    fc
      .asyncProperty(fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 5 }), async (asked) => {
        let held: GitClaim | undefined;
        for (const one of asked) {
          const mayHave = held === undefined || one.number > held.number;
          const hasIt: boolean = mayHave || (one.number === held?.number && one.agent === held.agent);
          expect(await answerOf(claims.record(one))).toEqual(hasIt ? undefined : stale);
          if (mayHave) held = one;
          const recorded = await claims.read(project);
          expect(recorded).toMatchObject({ number: held?.number, agent: held?.agent });
          for (const other of all) {
            const isHeld = other.number === held?.number && other.agent === held.agent;
            const fence = { do: "verify", ref: claimRef(project), is: recorded?.id };
            const isAhead = other.number > (held?.number ?? 0);
            expect(await answerOf(claims.fence(other))).toEqual(
              isHeld ? fence : isAhead ? notRecorded : stale,
            );
          }
        }
      })
      .beforeEach(() => inFolder(["update-ref", "-d", claimRef(project)])),
    { numRuns: 20 },
  );
});

describe.each(["hash-object", "update-ref"])("at %s another operator is faster", (step) => {
  test.each([
    { before: undefined, meanwhile: claim(1, "agent-2"), mine: claim(1), holds: "agent-2" },
    { before: undefined, meanwhile: claim(1, "agent-2"), mine: claim(2), holds: "agent-1" },
    { before: claim(1), meanwhile: claim(2, "agent-2"), mine: claim(2), holds: "agent-2" },
    { before: claim(1), meanwhile: claim(3, "agent-2"), mine: claim(2), holds: "agent-2" },
    { before: claim(1), meanwhile: claim(2, "agent-2"), mine: claim(3), holds: "agent-1" },
  ])(
    "with claim $meanwhile.number while $mine.number is recorded: $holds has it, and both know",
    async ({ before, meanwhile, mine, holds }) => {
      const { place } = emptyRepository();
      const others = new Claims(new Git(), place);
      if (before !== undefined) await others.record(before);
      let isOver = false;
      const once = async (): Promise<void> => {
        if (isOver) return;
        isOver = true;
        await others.record(meanwhile);
      };
      const claims = interrupted(place, { step, meanwhile: once });
      expect(await answerOf(claims.record(mine))).toEqual(holds === mine.agent ? undefined : stale);
      expect(isOver).toBe(true);
      const winner = holds === mine.agent ? mine : meanwhile;
      expect(await others.read(project)).toMatchObject({ number: winner.number, agent: winner.agent });
    },
  );
});

test("a claim that changes whenever it is to be recorded is not recorded over what it has become", async () => {
  const { place } = emptyRepository();
  const others = new Claims(new Git(), place);
  let number = 0;
  const meanwhile = async (): Promise<void> => {
    number += 1;
    await others.record(claim(number, "agent-2"));
  };
  const claims = interrupted(place, { step: "update-ref", meanwhile });
  expect(await answerOf(claims.record(claim(1_000)))).toEqual(refusal(TransientError, "ClaimContended"));
  expect(await others.read(project)).toMatchObject({ number, agent: "agent-2" });
});

test("a fence lets refs move until another claim is recorded, also where it was taken before that", async () => {
  const { place, inFolder } = emptyRepository();
  const git = new Git();
  const claims = new Claims(git, place);
  await claims.record(claim(1));
  const fence = await claims.fence(claim(1));
  const blob = inFolder(["hash-object", "-w", "--stdin"], "work\n");
  const move = (ref: string) =>
    changeRefs(git, place, [fence, { do: "move", ref, from: undefined, to: blob }], "test");
  expect(await move("refs/bosun/keep/one")).toBe(true);
  await claims.record(claim(2, "agent-2"));
  expect(await move("refs/bosun/keep/two")).toBe(false);
  expect(inFolder(["for-each-ref", "--format=%(refname)", "refs/bosun/keep"])).toBe("refs/bosun/keep/one");
});

test.each([
  "",
  "{}",
  '{"number": "2", "agent": "agent-2"}',
  '{"number": 2.5, "agent": "agent-2"}',
  '{"number": 2}',
])("a ref that holds %j instead of a claim is nobody's, and is not written over", async (text) => {
  const { place, inFolder } = emptyRepository();
  const claims = new Claims(new Git(), place);
  const blob = inFolder(["hash-object", "-w", "--stdin"], text);
  inFolder(["update-ref", claimRef(project), blob]);
  const damaged = refusal(TerminalError, "ClaimDamaged");
  for (const asked of [claims.read(project), claims.record(claim(3)), claims.fence(claim(3))])
    expect(await answerOf(asked)).toEqual(damaged);
  expect(inFolder(["rev-parse", claimRef(project)])).toBe(blob);
});
