import { expect, test } from "vitest";
import type { Transport } from "../../../pkg/cluster/transport.ts";
import { systemClock, systemRandom } from "../../../pkg/system/system.ts";
import { ownDefinitions } from "./definitions.ts";
import { requireKinds } from "./known-kinds.ts";

const access = {
  server: "https://server",
  options: async () => ({ headers: {} }),
  renew() {},
  close() {},
};

const list = "/apis/bosun.dev/v1alpha1/namespaces/crew/agents?limit=1";
const noObjects = { items: [] };

/** Looks at a cluster that answers `answers` by path, `late` after so many virtual seconds, and 404 to all else. */
async function look(
  answers: Readonly<Record<string, unknown>>,
  late = answers,
  lateSeconds = 0,
): Promise<string[]> {
  const notes: string[] = [];
  let elapsedMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    elapsedMs += ms;
  };
  const clock = { now: systemClock.now, elapsed: () => elapsedMs, sleep };
  const transport: Transport = async ({ url }) => {
    const told = elapsedMs >= lateSeconds * 1000 ? late : answers;
    const answer = told[url.slice(access.server.length)];
    return {
      statusCode: answer === undefined ? 404 : 200,
      headers: {},
      async *[Symbol.asyncIterator]() {
        if (answer !== "")
          yield Buffer.from(answer === undefined ? "404 page not found" : JSON.stringify(answer));
      },
      destroy() {},
    };
  };
  const deps = { access, clock, random: systemRandom, userAgent: "bosun-test", transport };
  const definitions = ownDefinitions();
  const note = (line: string): void => void notes.push(line);
  await requireKinds({ definitions, deps, context: "real", namespace: "crew", note });
  return notes;
}

test("an operator does not start on kinds of an older version: what it writes would be dropped", async () => {
  const schemas = Object.fromEntries(
    ownDefinitions().map(({ spec: { group, names, versions } }) => [
      names.kind,
      {
        ...JSON.parse(
          JSON.stringify(versions[0]?.schema.openAPIV3Schema).replaceAll('"session":{', '"before":{'),
        ),
        "x-kubernetes-group-version-kind": [{ group, kind: names.kind }],
      },
    ]),
  );
  await expect(
    look({ [list]: noObjects, "/openapi/v3/apis/bosun.dev/v1alpha1": { components: { schemas } } }),
  ).rejects.toThrow(
    /^The cluster of context real \(https:\/\/server\) would drop Agent status\.session.*: its kinds are of an older version of Bosun\. Run `bosun install` with this one\.$/,
  );
});

test("an operator does not start where a kind is not served: it would wait for it without a word", async () => {
  await expect(look({ "/apis/bosun.dev/v1alpha1": { resources: [{ name: "agents" }] } })).rejects.toThrow(
    /does not serve .*agents\/status.*reviews.*: its kinds are of another version of Bosun, or are being removed/,
  );
});

test("kinds that a server publishes some seconds after they were installed are waited for, and that is said", async () => {
  await expect(look({})).rejects.toThrow(/does not know Bosun's kinds\. Install them: `bosun install`/);
  const some = { [list]: noObjects, "/apis/bosun.dev/v1alpha1": { resources: [] } };
  await expect(look(some)).rejects.toThrow(/does not serve agents/);
  const names = ownDefinitions().flatMap(({ spec: { names, versions } }) => [
    names.plural,
    ...Object.keys(versions[0]?.subresources ?? {}).map((subresource) => `${names.plural}/${subresource}`),
  ]);
  const all = { ...some, "/apis/bosun.dev/v1alpha1": { resources: names.map((name) => ({ name })) } };
  for (const before of [{}, some])
    expect(await look(before, all, 8)).toEqual([expect.stringContaining("Waiting 10 seconds")]);
  expect(await look(all)).toEqual([]);
});

// An apiextensions-apiserver 1.36 of its own answers 200 and nothing.
test.each([undefined, "", "a page", {}, null])(
  "what a cluster does not tell of its kinds is not held against it: %j",
  async (answer) => {
    const answers = { "/apis/bosun.dev/v1alpha1": answer, "/openapi/v3/apis/bosun.dev/v1alpha1": answer };
    expect(await look({ ...answers, [list]: noObjects })).toEqual([]);
  },
);
