/** The schemas for editors against the API itself: an editor that calls a good file wrong is worse than none. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { initialFiles } from "../../cmd/bosun/init/files.ts";
import { openRegistry } from "../../cmd/bosun/testing/operator.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { StatusError } from "../../pkg/api/status-error.ts";
import type { Registry } from "../../pkg/registry/registry.ts";
import { declared, unknownFields } from "../../pkg/storage/files/difference.ts";
import type { JsonMap } from "../../pkg/storage/files/json.ts";

const root = path.resolve(import.meta.dirname, "../..");
const schema = JSON.parse(readFileSync(path.join(root, "schemas/bosun.json"), "utf8"));
const choices = { name: "a", targetBranch: "main", commands: { test: "npm test" }, dailyUSD: 5 };
const texts = [
  ...globSync("manifests/samples/*.yaml", { cwd: root })
    .filter((file) => !file.includes("kustomization"))
    .map((file) => readFileSync(path.join(root, file), "utf8")),
  ...initialFiles(choices).map(({ text }) => text),
];
const documents = texts
  .flatMap((text) => [...parseAllDocuments(text)].map((document) => document.toJS() as KubeObject))
  .filter((document) => document !== null);

let validate: ValidateFunction;
let registry: Registry;
beforeAll(async () => {
  const ajv = new Ajv({ strict: false, formats: { "date-time": isDate } });
  validate = ajv.compile(schema);
  registry = await openRegistry();
});

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(text);
}

async function admits(object: unknown): Promise<boolean> {
  const { kind } = object as KubeObject;
  const resource = registry.resourceByKind("bosun.dev", kind);
  if (resource === undefined) return false;
  try {
    await registry.create(resource.id, "default", object, { dryRun: true });
    // As for people's files: what would be pruned is refused.
    return unknownFields(declared(object as JsonMap), registry.meaning(object as KubeObject)).length === 0;
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}

test("every sample and every file of `bosun init` fits the schema", () => {
  const problems = documents.filter((document) => !validate(document)).map(() => validate.errors);
  expect(problems).toEqual([]);
});

test.each([
  ["feature/größe-x", true],
  ["fix/#12", true],
  ["user@topic+c++", true],
  ["-f", false],
  ["a b", false],
  ["a~1", false],
  ["a:b", false],
  ["a\nb", false],
])(
  "a target branch called %j is a branch to schema and API as it is to git: %j",
  async (branch, isBranch) => {
    const workspace = documents.find(({ kind }) => kind === "Workspace");
    const object = { ...workspace, spec: { repository: { targetBranch: branch } } };
    expect({ schema: validate(object), api: await admits(object) }).toEqual({
      schema: isBranch,
      api: isBranch,
    });
  },
);

test("the schema of each kind alone says of samples what the one for all says", () => {
  const ajv = new Ajv({ strict: false, formats: { "date-time": isDate } });
  for (const document of documents) {
    const file = path.join(root, "schemas", `${document.kind.toLowerCase()}.json`);
    expect(ajv.validate(JSON.parse(readFileSync(file, "utf8")), document)).toBe(true);
  }
});

interface Fields {
  type?: string;
  enum?: unknown[];
  properties?: Record<string, Fields>;
  required?: string[];
  additionalProperties?: Fields | boolean;
  items?: Fields;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
}

const words = [
  "T-1",
  "T-2",
  "AC-1",
  "AC-2",
  "agent-3",
  "main",
  "a1b2c3d",
  "2026-01-01T00:00:00Z",
  "",
  "x".repeat(70),
];

/**
 * Values about as `schema` wants them: some beyond a bound, of another type or with a field that is missing. Never null:
 * the API takes it for a default; an editor does well to say that a field has no value yet.
 */
function near(schema: Fields): fc.Arbitrary<unknown> {
  // A list where a format is asked for passes kube-apiserver, and so this API: an editor may be wiser.
  const list = schema.format === undefined ? [[]] : [];
  const other = fc.constantFrom<unknown>("x", 7, true, {}, 1.5, ...list);
  return fc.oneof({ weight: 40, arbitrary: meant(schema) }, { weight: 1, arbitrary: other });
}

function meant(schema: Fields): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "object": {
      if (typeof schema.additionalProperties === "object")
        return fc.dictionary(fc.constantFrom("a", "b"), near(schema.additionalProperties), { maxKeys: 2 });
      const fields = Object.entries(schema.properties ?? {}).map(([name, child]) => [name, near(child)]);
      const model: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(fields);
      return fc.record(model, { requiredKeys: schema.required ?? [] });
    }
    case "array":
      return fc.array(near(schema.items ?? {}), { maxLength: 2 });
    case "string": {
      const fitting = words.filter((word) => new RegExp(schema.pattern ?? "").test(word));
      return fc.constantFrom(...fitting, ...words.slice(0, 1));
    }
    case "integer":
    case "number":
      return fc.integer({ min: (schema.minimum ?? 0) - 1, max: Math.min(schema.maximum ?? 9, 100_000) + 1 });
    default:
      return fc.boolean();
  }
}

test.each(Object.keys(schema.definitions))(
  "what the API admits of kind %s, the schema doesn't call wrong",
  async (kind) => {
    const { spec } = schema.definitions[kind].properties;
    const head = {
      apiVersion: "bosun.dev/v1alpha1",
      kind,
      metadata: { name: kind === "Category" ? "testing" : "a" },
    };
    let admitted = 0;
    await fc.assert(
      fc.asyncProperty(near(spec), async (spec) => {
        const object = { ...head, spec };
        if (!(await admits(object))) return;
        admitted += 1;
        expect([object, validate(object) ? [] : validate.errors]).toEqual([object, []]);
      }),
      { numRuns: 300 },
    );
    expect(admitted).toBeGreaterThan(10);
  },
);
