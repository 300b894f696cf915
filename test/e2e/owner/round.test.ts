import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { runRound } from "./round.ts";

test("a round of the soak leaves one owner for everything", async () => {
  const seed = Number(process.env.BOSUN_OWNER_SEED ?? randomInt(1_000_000));
  console.log(`Replay with BOSUN_OWNER_SEED=${seed}`);
  const told: string[] = [];
  const faults = await runRound({ seed, losses: 1, projects: 2, tell: (line) => void told.push(line) });
  expect(faults, told.join("\n")).toEqual([]);
});
