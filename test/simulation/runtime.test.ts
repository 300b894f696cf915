import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runToy } from "./toy.ts";

test("a parent never has two children and ends with one, under faults and crashes, on 200 seeds", async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 200; seed += 1) {
    const { hash, named, children } = await runToy(seed);
    expect(children.toSorted(), `seed ${seed}`).toEqual(named.toSorted());
    hashes.add(hash);
  }
  expect(hashes.size).toBe(200);
});

test("the same seed takes the same steps to the same end, in this process and in another", async () => {
  const toy = fileURLToPath(new URL("toy.ts", import.meta.url));
  for (let seed = 1; seed <= 3; seed += 1) {
    const { hash } = await runToy(seed);
    expect((await runToy(seed)).hash).toBe(hash);
    const { stdout } = await promisify(execFile)(process.execPath, [toy, String(seed)]);
    expect(stdout).toContain(`hash: '${hash}'`);
  }
});
