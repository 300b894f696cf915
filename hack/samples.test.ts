import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createAll, openRegistry } from "../cmd/bosun/testing/operator.ts";

const manifests = path.resolve(import.meta.dirname, "..", "manifests");
const samples = path.join(manifests, "samples");
const files = globSync("*.yaml", { cwd: samples }).filter((file) => file !== "kustomization.yaml");

test.each(files)("the API accepts manifests/samples/%s", async (file) => {
  await createAll(await openRegistry(), readFileSync(path.join(samples, file), "utf8"));
});

test("the kustomizations name every sample and every definition", () => {
  expect(resourcesOf(path.join(samples, "kustomization.yaml"))).toEqual([...files].sort());
  const crds = path.resolve(manifests, "..", "crds");
  expect(resourcesOf(path.join(crds, "Kustomization"))).toEqual(globSync("*.yaml", { cwd: crds }).sort());
});

function resourcesOf(kustomization: string): string[] {
  return parse(readFileSync(kustomization, "utf8")).resources.toSorted();
}
