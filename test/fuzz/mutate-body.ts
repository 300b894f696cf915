/** Bodies made worse: as JSON values, as text and as bytes. */
import type { Prng } from "../simulation/kernel/prng.ts";

const values: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 1e300,
  () => Number.MAX_SAFE_INTEGER,
  () => 2 ** 31,
  () => "",
  () => "a",
  () => "1",
  () => "a".repeat(70),
  () => "x".repeat(20_000),
  () => "é\u0000\u{1F600}",
  () => "\uD800",
  () => "2026-01-01T00:00:00Z",
  () => "../..",
  () => "$(rv)",
  () => "$(uid)",
  () => "(a+)+$",
  () => [],
  () => [[]],
  () => ({}),
  () => ({ "": {} }),
  () => nested(60),
  () => nested(3000),
  () => Array.from({ length: 500 }, (_, index) => ({ name: `p${index}`, id: `T-${index}` })),
  () => ["a", "a"],
  () => ({ $patch: "delete" }),
  () => ({ $patch: "replace", a: 1 }),
  () => [{ $patch: "merge" }],
  () => [{ apiVersion: "v1", kind: "Namespace", name: "default", uid: "x", controller: true }],
  () => [
    {
      manager: "a",
      operation: "Apply",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:spec": {} },
    },
  ],
  () => [{}],
  () => ["example.com/x"],
  () => [{ rule: "self.all(x, self.all(y, self.all(z, x == y && y == z)))" }],
  () => [{ rule: "self.matches('(a+)+$')" }, { rule: "1 / 0 > self" }],
];

const keys = [
  "__proto__",
  "constructor",
  "toString",
  "",
  "a.b",
  "a/b",
  "$patch",
  "$retainKeys",
  "$setElementOrder/finalizers",
  "$deleteFromPrimitiveList/finalizers",
  "finalizers",
  "ownerReferences",
  "managedFields",
  "labels",
  "annotations",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generateName",
  "generation",
  "creationTimestamp",
  "resourceVersion",
  "uid",
  "namespace",
  "selfLink",
  "status",
  "spec",
  "metadata",
  "kind",
  "apiVersion",
  "x-kubernetes-validations",
  "x-kubernetes-preserve-unknown-fields",
  "pattern",
  "default",
];

/** `value` with one member changed, added or taken away, as JSON; now and then as JSON that no writer makes. */
export function mutateJson(value: unknown, other: Buffer | undefined, random: Prng): Buffer {
  const changed = change(structuredClone(value), other, random, 0);
  const text = stringify(changed);
  switch (random.below(30)) {
    case 0:
      // A key given twice.
      return Buffer.from(text.replace("{", '{"kind":"Other","metadata":{},'));
    case 1:
      return Buffer.from(text.replaceAll(/:(-?\d+)([,}])/g, ":$1e400$2"));
    case 2:
      return Buffer.from(text.replaceAll(/:(-?\d+)([,}])/g, ":92233720368547758079$2"));
    case 3:
      return Buffer.from(`\uFEFF${text}`);
    case 4:
      return Buffer.from(`${text}${text}`);
    case 5:
      return Buffer.from(yamlTricks[random.below(yamlTricks.length)] ?? "");
    case 6:
      return random.chance(0.05) ? Buffer.from(text.padEnd(3_300_000, " ")) : Buffer.from(text);
    default:
      return Buffer.from(text);
  }
}

const head = "apiVersion: conf.bosun.dev/v1\nkind: Widget\nmetadata: {name: yaml}\n";
const yamlTricks = [
  `${head}a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n`,
  `${head}spec: &s\n  self: *s\n`,
  `${head}spec: {<<: {color: red}, size: 0x1F, title: yes}\n`,
  `${head}spec: !!js/function 'x'\n`,
  `${head}spec: !!binary "aGVsbG8="\n`,
  `${head}---\n${head}`,
  `%YAML 1.1\n---\n${head}`,
  `${head}spec:\n\t- tab\n`,
  `${head}spec: {size: .inf, ratio: .nan}\n`,
  `? [complex]\n: key\n`,
  `${head}spec: {title: "\\ud800"}\n`,
  `${head}1: 2\ntrue: 3\nnull: 4\n`,
  `- ${"[".repeat(2000)}`,
  `${"{a: ".repeat(2000)}`,
];

/** JSON that may hold what `JSON.stringify` can't reach by recursion. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    // Too deep for it.
    return "null";
  }
}

function change(value: unknown, other: Buffer | undefined, random: Prng, depth: number): unknown {
  if (typeof value !== "object" || value === null || (depth > 0 && random.chance(0.25))) {
    return random.chance(0.15) ? borrowed(other, random) : values[random.below(values.length)]?.();
  }
  const members = value as Record<string, unknown>;
  const names = Object.keys(members);
  const name = names[random.below(Math.max(names.length, 1))];
  if (name === undefined || random.chance(0.12)) return withMember(value, random);
  if (random.chance(0.1)) {
    if (Array.isArray(value)) value.splice(Number(name), 1);
    else delete members[name];
    return value;
  }
  if (Array.isArray(value) && random.chance(0.1)) return [...value, value[Number(name)]];
  define(members, name, change(members[name], other, random, depth + 1));
  return value;
}

function withMember(value: object, random: Prng): object {
  const added = values[random.below(values.length)]?.();
  if (Array.isArray(value)) value.splice(random.below(value.length + 1), 0, added);
  else define(value, keys[random.below(keys.length)] ?? "", added);
  return value;
}

/** Sets `__proto__` as a member like any other. */
function define(of: object, name: string, value: unknown): void {
  Object.defineProperty(of, name, { value, enumerable: true, configurable: true, writable: true });
}

function borrowed(other: Buffer | undefined, random: Prng): unknown {
  try {
    let value: unknown = JSON.parse(other?.toString("utf8") ?? "null");
    while (typeof value === "object" && value !== null && random.chance(0.7)) {
      const children = Object.values(value);
      if (children.length === 0) break;
      value = children[random.below(children.length)];
    }
    return value;
  } catch {
    // The other one is no JSON.
    return null;
  }
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** One run of bytes flipped, cut, doubled or put in. */
export function mutateBytes(body: Buffer, random: Prng): Buffer {
  const at = random.below(body.length + 1);
  const length = 1 + random.below(8);
  const [before, after] = [body.subarray(0, at), body.subarray(at)];
  switch (random.below(7)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return Buffer.concat([before, Buffer.from(Array.from({ length }, () => random.below(256))), after]);
    case 3:
      return Buffer.concat([before, after.subarray(0, length * 10), after]);
    case 4:
      return Buffer.concat([before, Buffer.from(snippets[random.below(snippets.length)] ?? ""), after]);
    case 5:
      return Buffer.concat([Buffer.from([0x6b, 0x38, 0x73, 0x00]), after]);
    default: {
      const flipped = Buffer.from(body);
      if (flipped.length > 0) flipped[at % flipped.length] = random.below(256);
      return flipped;
    }
  }
}

const snippets = [
  "\n---\n",
  "\n...\n",
  ": ",
  "- ",
  "\t",
  "\r\n",
  "#",
  "&a ",
  "*a ",
  "!!str ",
  "|\n ",
  "{",
  "}",
  "[",
  "]",
  '"',
  "'",
  "<<: ",
  "~",
  "\u0000",
  "\uFEFF",
  "yes",
  "0755",
  "null",
  "1e999",
  "\\u0000",
];
