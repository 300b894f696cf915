import { expect, test } from "vitest";
import { fuzzApiServer } from "./campaign.ts";
import { corpus } from "./corpus.ts";
import { Findings } from "./findings.ts";
import { fuzzPeopleFiles } from "./people-files.ts";

test("the corpus has the requests of every scenario", () => {
  expect(corpus().length).toBeGreaterThan(700);
});

// A few seconds of what `npm run fuzz:apiserver` does for minutes.
test("mutated requests neither break the API server nor what it holds", { timeout: 600_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`npm run fuzz:apiserver -- --requests 2500 --seed ${seed}`);
  const report = await fuzzApiServer({ requests: 2500, seed, concurrency: 8, onProgress: () => {} });
  expect(report.findings.all(), `seed ${seed}`).toEqual([]);
  // What is refused all the time finds nothing.
  expect(report.statuses["200"]).toBeGreaterThan(100);
  expect(report.objects).toBeGreaterThan(10);
});

test("mutated edits of people's files neither break what follows them nor stay behind", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const findings = new Findings();
  await fuzzPeopleFiles({ edits: 200, seed, findings });
  expect(findings.all(), `seed ${seed}`).toEqual([]);
});
