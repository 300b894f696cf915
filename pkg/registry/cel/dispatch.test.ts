/** Whatever a function is called with, there is a value or an error of cel-go's: nothing is thrown. */
import { describe, expect, test } from "vitest";
import { dyn, type Type } from "./check/type.ts";
import { compileExpression, isError } from "./expression.ts";
import { functions } from "./functions/all.ts";
import type { Overload } from "./functions/overload.ts";
import type { Value } from "./values/value.ts";

const values = [
  "null; true; 0; -1; 9223372036854775807; -9223372036854775807 - 1; 0u; 18446744073709551615u",
  "-0.0; 1.5; 1e308; 0.0 / 0.0; 1.0 / 0.0; ''; 'a'; '['; '😀'; '-7'; '10.0.0.1'; '1.2.3'; '%d%s'; b''; b'\\xff'",
  "duration('1h'); duration('-2562047h'); timestamp('9999-12-31T23:59:59Z'); timestamp('0001-01-01T00:00:00Z')",
  "type(1); optional.none(); optional.of(null); []; [1]; [dyn(null), dyn('a')]; [dyn([1]), dyn({})]; {}; {'a': null}; {1: [1u]}",
  "quantity('1e20'); url('http://a/?b'); ip('::1'); cidr('10.0.0.0/8'); semver('1.2.3'); format.dns1123Label()",
]
  .flatMap((several) => several.split("; "))
  .map((each) => compileExpression(each, new Map()).evaluate([]).value as Value);

const operators: Readonly<Record<string, string>> = {
  "@in": "x in y",
  "_[_]": "x[y]",
  "_?_:_": "x ? y : z",
  "_[?_]": "x[?y]",
  "_?._": "x.?a",
  "!_": "!x",
  "-_": "-x",
  "@sortByAssociatedKeys": "x.sortBy(each, each)",
  "cel.@mapInsert": "{'a': x}.transformMapEntry(k, v, {v: k})",
  "@not_strictly_false": "[x, y].all(each, each)",
};

function sourceOf(name: string, { member, params }: Overload): string {
  const operator = operators[name] ?? /^_(\W+)_$/.exec(name)?.[1];
  if (operator !== undefined) return operators[name] ?? `x ${operator} y`;
  const args = ["x", "y", "z"].slice(0, params.length);
  return member ? `${args[0]}.${name}(${args.slice(1)})` : `${name}(${args})`;
}

const sources = new Set(
  [...functions].flatMap(([name, overloads]) =>
    overloads.filter(({ params }) => params.length <= 3).map((overload) => sourceOf(name, overload)),
  ),
);

/** All of two arguments, and of a third one some. */
function* combinations(source: string): Generator<readonly Value[]> {
  for (const [i, x] of values.entries()) {
    if (!/\by\b/.test(source)) yield [x, x, x];
    else
      for (const [j, y] of values.entries()) {
        yield [x, y, values[(i * 7 + j * 3) % values.length] as Value];
      }
  }
}

describe("any values", () => {
  test.each([...sources])("%s", (source) => {
    const { evaluate } = compileExpression(
      source,
      new Map<string, Type>(["x", "y", "z"].map((name) => [name, dyn])),
    );
    for (const given of combinations(source)) {
      const { value } = evaluate(given, { cost: 100_000 });
      if (isError(value)) expect(value.message).not.toMatch(/undefined|\[object/);
    }
  });
});

describe("null where the type of the argument is known", () => {
  const typed = [...functions].flatMap(([name, overloads]) =>
    overloads
      .filter(({ params }) => params.length <= 3 && operators[name] === undefined)
      .map((overload) => ({ id: overload.id, source: sourceOf(name, overload), overload })),
  );
  test.each(typed)("$id", ({ source, overload: { params } }) => {
    const names = ["x", "y", "z"].slice(0, params.length);
    const variables = new Map(names.map((name, i) => [name, params[i] as Type]));
    const { evaluate } = compileExpression(source, variables);
    const { value } = evaluate(names.map(() => null));
    expect(value).toBeDefined();
  });
});
