import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseYaml, writeYaml } from "../../encoding/yaml.ts";
import { isJsonMap, type JsonMap } from "./json.ts";
import { appendDocument, removeDocument, SpliceError, splice } from "./splice.ts";

function documents(text: string): JsonMap[] {
  const parsed = parseYaml(text);
  if (!parsed.valid) throw new Error(parsed.problems[0]?.message);
  return parsed.documents.map(({ value }) => value as JsonMap);
}

/** `text` after `change` was made to what its document means. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into documents by name
type Any = any;

function changed(text: string, change: (value: Any) => void, index = 0): string {
  const wanted = structuredClone(documents(text)[index]) as JsonMap;
  change(wanted);
  const result = splice(text, index, wanted);
  expect(documents(result)[index]).toEqual(wanted);
  return result;
}

describe("one change, every other byte kept", () => {
  test.each<[name: string, before: string, change: (value: Any) => void, after: string]>([
    [
      "a plain scalar",
      "a: 1 # one\nb: 2\n",
      (v) => {
        v.a = 7;
      },
      "a: 7 # one\nb: 2\n",
    ],
    [
      "single quotes stay",
      "a: 'it' # c\n",
      (v) => {
        v.a = "it's";
      },
      "a: 'it''s' # c\n",
    ],
    [
      "double quotes stay",
      'a: "x" # c\n',
      (v) => {
        v.a = "yes";
      },
      'a: "yes" # c\n',
    ],
    [
      "a string that would be retyped is quoted",
      "a: x\n",
      (v) => {
        v.a = "yes";
      },
      'a: "yes"\n',
    ],
    [
      "CRLF",
      "a: 1\r\nb:\r\n  c: 2 # x\r\n",
      (v) => {
        v.b.d = 3;
      },
      "a: 1\r\nb:\r\n  c: 2 # x\r\n  d: 3\r\n",
    ],
    [
      "a byte order mark",
      "\uFEFFa: 1\n",
      (v) => {
        v.b = 2;
      },
      "\uFEFFa: 1\nb: 2\n",
    ],
    [
      "no newline at the end",
      "a: 1\nb: 2",
      (v) => {
        v.c = 3;
      },
      "a: 1\nb: 2\nc: 3",
    ],
    [
      "removing the last line without a newline",
      "a: 1\nb: 2",
      (v) => {
        delete v.b;
      },
      "a: 1",
    ],
    [
      "a key goes with its line and comment",
      "a: 1\nb: 2 # two\n# c\nc: 3\n",
      (v) => {
        delete v.b;
      },
      "a: 1\n# c\nc: 3\n",
    ],
    [
      "a key with a block goes whole",
      "a:\n  b: 1\n  c: 2\nd: 3\n",
      (v) => {
        delete v.a;
      },
      "d: 3\n",
    ],
    [
      "the last key leaves {}",
      "a:\n  b: 1\nd: 3\n",
      (v) => {
        delete v.a.b;
      },
      "a:\n  {}\nd: 3\n",
    ],
    [
      "into a flow map",
      "a: { b: 1 } # c\n",
      (v) => {
        v.a.d = "x";
      },
      "a: { b: 1, d: x } # c\n",
    ],
    [
      "into an empty flow map",
      "a: {} # c\n",
      (v) => {
        v.a.d = 1;
      },
      "a:\n  d: 1 # c\n",
    ],
    [
      "out of a flow map",
      "a: {b: 1, c: 2, d: 3}\n",
      (v) => {
        delete v.a.c;
      },
      "a: {b: 1, d: 3}\n",
    ],
    [
      "the first out of a flow map",
      "a: {b: 1, c: 2}\n",
      (v) => {
        delete v.a.b;
      },
      "a: {c: 2}\n",
    ],
    [
      "behind an item",
      "l:\n- x # x\n- y\nz: 1\n",
      (v) => {
        v.l.push("w");
      },
      "l:\n- x # x\n- y\n- w\nz: 1\n",
    ],
    [
      "before an item",
      "l:\n  - x # x\n  - y\n",
      (v) => {
        v.l.unshift("w");
      },
      "l:\n  - w\n  - x # x\n  - y\n",
    ],
    [
      "out of a list",
      "l:\n  - x\n  # y is good\n  - y # y\n  - z\n",
      (v) => {
        v.l.splice(1, 1);
      },
      "l:\n  - x\n  # y is good\n  - z\n",
    ],
    [
      "within an item",
      "l:\n  - a: 1\n    b: 2 # b\n",
      (v) => {
        v.l[0].a = 3;
      },
      "l:\n  - a: 3\n    b: 2 # b\n",
    ],
    [
      "an item's first key",
      "l:\n  - a: 1\n    b: 2 # b\n",
      (v) => {
        delete v.l[0].a;
      },
      "l:\n  - b: 2 # b\n",
    ],
    [
      "a flow list",
      "l: [1, 2,] # c\n",
      (v) => {
        v.l.push(3);
      },
      "l: [1, 2, 3,] # c\n",
    ],
    [
      "an empty value",
      "a: # c\nb: 1\n",
      (v) => {
        v.a = "x";
      },
      "a: x # c\nb: 1\n",
    ],
    [
      "a block behind an empty value",
      "a:\nb: 1\n",
      (v) => {
        v.a = { c: 1 };
      },
      "a:\n  c: 1\nb: 1\n",
    ],
    [
      "a literal stays literal",
      "a: |\n  x\n  y\nb: 1\n",
      (v) => {
        v.a = "p\nq\n";
      },
      "a: |\n  p\n  q\nb: 1\n",
    ],
    [
      "the author's indentation",
      "a:\n    b: 1\nc: 1\n",
      (v) => {
        v.c = { d: { e: 1 } };
      },
      "a:\n    b: 1\nc:\n    d:\n        e: 1\n",
    ],
    [
      "the author's lists, no deeper than their key",
      "l:\n- x\nz: 1\n",
      (v) => {
        v.m = ["w"];
      },
      "l:\n- x\nz: 1\nm:\n- w\n",
    ],
    [
      "the author's lists, deeper than their key",
      "l:\n   - x\nz: 1\n",
      (v) => {
        v.m = ["w"];
      },
      "l:\n   - x\nz: 1\nm:\n  - w\n",
    ],
    [
      "an anchor stays",
      "a: &x 1\nb: 2\n",
      (v) => {
        v.a = 5;
      },
      "a: &x 5\nb: 2\n",
    ],
    [
      "an alias is written out",
      "a: &x 1\nb: *x # b\n",
      (v) => {
        v.b = 5;
      },
      "a: &x 1\nb: 5 # b\n",
    ],
    [
      "an alias keeps its value when its anchor changes",
      "a: &x 1\nb: *x\n",
      (v) => {
        v.a = 5;
      },
      "a: &x 5\nb: 1\n",
    ],
    [
      "a merged key is said anew",
      "a: &x {b: 1}\nc:\n  <<: *x\n",
      (v) => {
        v.c.b = 2;
      },
      "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n",
    ],
    [
      "a list becomes empty",
      "l:\n  - 1\nz: 1\n",
      (v) => {
        v.l = [];
      },
      "l:\n  []\nz: 1\n",
    ],
  ])("%s", (_name, before, change, after) => {
    expect(changed(before, change)).toBe(after);
  });

  test("one of several documents", () => {
    const text = "# head\na: 1\n---\n# two\nb: 2 # b\n...\n---\nc: 3\n";
    expect(
      changed(
        text,
        (v) => {
          v.b = { x: 1 };
        },
        1,
      ),
    ).toContain("---\n# two\nb:\n  x: 1 # b\n...\n---\nc: 3\n");
  });

  test.each([
    {
      name: "a comment and an alias",
      text: "x: &a {b: 1}\nc:\n  <<: *a # merged\n  d: 1\n",
      wanted: { x: { b: 1 }, c: { d: 1 } },
    },
    { name: "a comment on an item of nothing", text: "x:\n  - # why\n  - 2\n", wanted: { x: [1, 2] } },
    {
      name: "a comment in a map of keys alone",
      text: "x: {a, # why\n  b: 2}\n",
      wanted: { x: { a: 1, b: 2 } },
    },
  ])("what can't be said without losing $name is refused", ({ text, wanted }) => {
    expect(() => splice(text, 0, wanted)).toThrow(SpliceError);
  });
});

describe("whole documents", () => {
  test("one more goes to the end", () => {
    expect(appendDocument("a: 1 # x", { b: 2 })).toBe("a: 1 # x\n---\nb: 2\n");
    expect(appendDocument("# only a comment\n", { b: 2 })).toBe("# only a comment\nb: 2\n");
    expect(appendDocument("", { b: "yes" })).toBe('b: "yes"\n');
  });

  test("one goes, the others and the comments around it stay", () => {
    const text = "# head\na: 1\n---\nb: 2 # b\n---\n# three\nc: 3\n";
    expect(removeDocument(text, 1)).toBe("# head\na: 1\n---\n# three\nc: 3\n");
    expect(removeDocument(text, 0)).toBe("# head\n---\nb: 2 # b\n---\n# three\nc: 3\n");
    expect(removeDocument("a: 1\nb: 1\n", 0)).toBe("");
  });
});

describe("any text, any change", () => {
  const key = fc.constantFrom("a", "b", "title", "yes", "x y", "1");
  const scalar = fc.oneof(
    fc.constantFrom(
      "x",
      "yes",
      "0755",
      "two\nlines\n",
      "# c",
      "a: b",
      "it's",
      "",
      " pad ",
      "{",
      "- a",
      "2026-01-01",
    ),
    fc.integer({ min: -5, max: 99 }),
    fc.boolean(),
    fc.constant(null),
  );
  const { map } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", maxDepth: 3 },
      scalar,
      tie("map"),
      fc.array(tie("value"), { maxLength: 4 }),
    ),
    map: fc.dictionary(key, tie("value"), { minKeys: 1, maxKeys: 4 }),
  }));

  /** A text that a person may have written: comments anywhere, flow style here and there, one of two line ends. */
  const page = fc.record({
    value: map,
    seed: fc.nat(),
    crlf: fc.boolean(),
    indent: fc.constantFrom(2, 4),
    indentSeq: fc.boolean(),
  });
  type Page = typeof page extends fc.Arbitrary<infer T> ? T : never;

  function written({ value, seed, crlf, indent, indentSeq }: Page): string {
    const plain = writeYaml(value, { indent, indentSeq });
    let state = seed;
    const chance = () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return state % 4;
    };
    let text = plain;
    for (const [at, line] of plain.split("\n").entries()) {
      if (line === "") continue;
      const lines = text.split("\n");
      const index = lines.length - plain.split("\n").length + at;
      const roll = chance();
      if (roll === 0) lines[index] = `${line}  # note ${at}`;
      if (roll === 1) lines.splice(index, 0, `# above ${at}`);
      const candidate = lines.join("\n");
      const parsed = parseYaml(candidate);
      if (parsed.valid && JSON.stringify(parsed.documents[0]?.value) === JSON.stringify(value))
        text = candidate;
    }
    return crlf ? text.replaceAll("\n", "\r\n") : text;
  }

  test("means what was wanted, and is the very text where it means that already", () => {
    let refused = 0;
    fc.assert(
      fc.property(page, map, (from, to) => {
        const text = written(from);
        fc.pre(parseYaml(text).valid);
        // Line ends within literal text are not the question here.
        const before = documents(text)[0] as JsonMap;
        let result: string;
        try {
          result = splice(text, 0, JSON.parse(JSON.stringify(to)));
        } catch (error) {
          if (!(error instanceof SpliceError)) throw error;
          refused += 1;
          return;
        }
        expect(documents(result)[0]).toEqual(JSON.parse(JSON.stringify(to)));
        expect(splice(text, 0, before)).toBe(text);
      }),
      { numRuns: 200 },
    );
    expect(refused).toBeLessThan(5);
  }, 600_000);

  /** `one` with what `other` has besides: keys in maps, items behind a list's last. */
  function joined(one: unknown, other: unknown): unknown {
    if (Array.isArray(one) && Array.isArray(other)) return [...one, ...other];
    if (!isJsonMap(one) || !isJsonMap(other)) return one;
    const both = Object.keys(one).filter((name) => Object.hasOwn(other, name));
    return {
      ...one,
      ...other,
      ...Object.fromEntries(both.map((name) => [name, joined(one[name], other[name])])),
    };
  }

  test("what is added takes no comment away, and its lines end as the person's do", () => {
    let refused = 0;
    fc.assert(
      fc.property(page, map, (from, more) => {
        const text = written(from);
        fc.pre(parseYaml(text).valid);
        const before = documents(text)[0] as JsonMap;
        const results = [appendDocument(text, JSON.parse(JSON.stringify(more)))];
        expect(results[0]?.startsWith(text)).toBe(true);
        try {
          results.push(splice(text, 0, joined(before, JSON.parse(JSON.stringify(more))) as JsonMap));
        } catch (error) {
          if (!(error instanceof SpliceError)) throw error;
          refused += 1;
        }
        for (const result of results) {
          expect(result.match(/# (?:note|above) \d+/g)).toEqual(text.match(/# (?:note|above) \d+/g));
          expect(result.match(from.crlf ? /[^\r]\n/ : /\r/)).toBeNull();
        }
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeLessThan(5);
  }, 600_000);

  test("a change of one top-level key leaves the lines of all others byte for byte", () => {
    fc.assert(
      fc.property(page, scalar, (from, to) => {
        const text =
          `first: 1 # first\r\n# above\r\n`.replaceAll("\r\n", from.crlf ? "\r\n" : "\n") + written(from);
        fc.pre(parseYaml(text).valid);
        const wanted = { ...(documents(text)[0] as JsonMap), first: to };
        const result = splice(text, 0, wanted);
        expect(documents(result)[0]).toEqual(wanted);
        const kept = text.slice(text.indexOf("# above"));
        expect(result.endsWith(kept)).toBe(true);
        expect(result).toContain("# first");
      }),
      { numRuns: 150 },
    );
  }, 600_000);
});
