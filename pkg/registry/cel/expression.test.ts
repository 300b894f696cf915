import { describe, expect, test } from "vitest";
import { dyn, int, listOf, string, type Type } from "./check/type.ts";
import { compileExpression } from "./expression.ts";
import { ArrayList } from "./values/lists.ts";
import { CelError, type Value } from "./values/value.ts";

const variables = new Map<string, Type>([
  ["text", string],
  ["number", int],
  ["numbers", listOf(int)],
  ["any", dyn],
]);
const given: readonly Value[] = ["some text", 7n, new ArrayList([3n, 1n, 2n]), "a string"];

function evaluate(source: string): { value: Value | undefined; cost: number } {
  return compileExpression(source, variables).evaluate(given);
}

function problemsOf(source: string): string {
  try {
    compileExpression(source, variables);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("what Kubernetes has holds", () => {
  test.each([
    // Its libraries
    "[1, 2, 2].isSorted() && !numbers.isSorted() && numbers.sum() == 6 && numbers.min() == 1 && numbers.max() == 3",
    "[duration('1m'), duration('30s')].sum() == duration('90s') && [1.5, 2.5].sum() == 4.0",
    "['a', 'b', 'a'].indexOf('a') == 0 && ['a', 'b', 'a'].lastIndexOf('a') == 2 && [1].indexOf(2) == -1",
    "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
    "'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '1 2 3'.findAll('[0-9]', 2) == ['1', '2']",
    "url('https://u@example.com:80/a%20b?q=1&q=2&r=x+y').getHost() == 'example.com:80'",
    "url('https://example.com:80/').getHostname() == 'example.com' && url('https://[::1]:80/').getHostname() == '::1'",
    "url('https://example.com:80/').getPort() == '80' && url('/only/path').getScheme() == ''",
    "url('https://h/a%20b').getEscapedPath() == '/a%20b' && url('https://h/a b').getEscapedPath() == '/a%20b'",
    "url('https://h/?q=1&q=2&r=x+y').getQuery() == {'q': ['1', '2'], 'r': ['x y']}",
    "isURL('https://h') && isURL('/p') && !isURL('h') && !isURL('https://a:b') && !isURL('https://h/%zz') && !isURL('')",
    "quantity('1.5Gi').isGreaterThan(quantity('1500Mi')) && quantity('1000m').compareTo(quantity('1')) == 0",
    "quantity('50k').add(quantity('20k')) == quantity('70k') && quantity('50k').sub(20000) == quantity('30k')",
    "quantity('100').isInteger() && !quantity('100.5').isInteger() && quantity('5k').asInteger() == 5000",
    "sign(quantity('-1')) == -1 && sign(quantity('0')) == 0 && quantity('1e3') == quantity('1k')",
    "isQuantity('1.3Gi') && !isQuantity('1.3GiB') && !isQuantity('') && !isQuantity('200K')",
    "ip('::ffff').family() == 6 && ip('10.0.0.1').family() == 4 && string(ip('2001:DB8::1')) == '2001:db8::1'",
    "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('169.254.1.1').isLinkLocalUnicast()",
    "ip('224.0.0.1').isLinkLocalMulticast() && ip('8.8.8.8').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
    "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && !isIP('::ffff:1.2.3.4') && !isIP('1.2.3')",
    "cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.0.0.0/8').containsCIDR(cidr('0.0.0.0/0'))",
    "cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24') && cidr('::1/128').prefixLength() == 128",
    "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33') && cidr('10.0.0.1/8').ip() == ip('10.0.0.1')",
    "format.dns1123Label().validate('my-name') == optional.none() && format.dns1123Label().validate('My').hasValue()",
    "format.named('uuid').value().validate('x').value() == ['does not match the UUID format'] && !format.named('x').hasValue()",
    "format.dns1123LabelPrefix().validate('my-') == optional.none() && format.dns1035Label().validate('1a').hasValue()",
    "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1",
    "semver('1.2.3-rc.2').isLessThan(semver('1.2.3-rc.10')) && semver('v1.02', true) == semver('1.2.0')",
    "isSemver('1.2.3+build') && !isSemver('v1.2.3') && isSemver('v1.2.3', true) && semver('4.5.6').minor() == 5",
    // cel-go's extensions
    "['a', 'b'].join('-') == 'a-b' && 'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
    "'hello'.substring(1, 3) == 'el' && 'hello'.charAt(5) == '' && 'aXbX'.replace('X', 'y', 1) == 'aybX'",
    "'Größe'.upperAscii() == 'GRößE' && ' a '.trim() == 'a' && 'héllo👑o'.indexOf('o') == 4 && '👑'.size() == 1",
    "strings.quote('a\\n\"') == '\"a\\\\n\\\\\"\"' && 'abcabc'.lastIndexOf('c') == 5",
    "'%s is %d of %s'.format(['x', 3, [1, 2]]) == 'x is 3 of [1, 2]' && '%.2f%%'.format([12345.678]) == '12,345.68%'",
    "'%x %X %o %b'.format([255, 'hi', 8, true]) == 'ff 6869 10 1' && '%e'.format([1234.5]) == '1.234500×10⁰³'",
    "'%s'.format([{'b': [1.5], 'a': 'x'}]) == '{\"a\":\"x\", \"b\":[1.500000]}'",
    "sets.contains([1, 2, 3], [2, 3]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
    "[3, 1, 2].sort() == [1, 2, 3] && ['bb', 'a'].sortBy(s, s.size()) == ['a', 'bb'] && [1, 1, 2].distinct() == [1, 2]",
    "lists.range(3) == [0, 1, 2] && [1, 2, 3].slice(1, 3) == [2, 3] && [[1], [2]].flatten() == [1, 2]",
    "[1, 2].reverse() == [2, 1] && [1, 2].first().value() == 1 && numbers.last() == optional.of(2)",
    // Macros
    "[1, 2, 3].exists_one(x, x > 2) && {'a': 1}.all(k, v, k == 'a' && v == 1) && [5].exists(i, v, i == 0 && v == 5)",
    "['a', 'b'].transformList(i, v, i > 0, v) == ['b'] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
    "{'a': 'b'}.transformMapEntry(k, v, {v: k}) == {'b': 'a'} && [1, 2].map(x, x > 1, x * 2) == [4]",
    // Optionals
    "{'a': {'b': 1}}.?a.?b.orValue(0) == 1 && {'a': {'b': 1}}.?c.?b.orValue(0) == 0 && numbers[?9].orValue(5) == 5",
    "optional.of(1).optMap(x, x + 1) == optional.of(2) && optional.none().or(optional.of(3)).value() == 3",
    "[?optional.none(), 1] == [1] && {?'a': optional.of(1), ?'b': optional.none()} == {'a': 1}",
    // Numbers, texts, times
    "5 / 2 == 2 && -5 / 2 == -2 && -5 % 3 == -2 && 7.0 / 2.0 == 3.5 && 1u + 2u == 3u",
    "1 < 1.5 && 2u > 1 && dyn(1) == 1.0 && dyn(1u) == 1 && [1.0].exists(x, dyn(x) == 1)",
    "int('0123') == 123 && double('1e3') == 1000.0 && string(1e6) == '1e+06' && string(2.0) == '2' && int(-1.9) == -1",
    "timestamp('2024-02-29T12:30:00Z') + duration('24h') == timestamp('2024-03-01T12:30:00Z')",
    "timestamp('2024-02-29T12:30:00Z').getDayOfYear() == 59 && timestamp('2024-07-01T00:30:00Z').getHours('Europe/Rome') == 2",
    "string(duration('90m')) == '5400s' && duration('1h').getMinutes() == 60 && duration('1.5s').getMilliseconds() == 1500",
    "string(timestamp('2024-01-01T00:00:00.5+01:00')) == '2024-01-01T00:00:00.5+01:00'",
    "b'\\xff'.size() == 1 && bytes('é').size() == 2 && string(b'abc') == 'abc' && r'\\d' == '\\\\d'",
    "type(1) == int && type([]) == list && type(duration('1s')) == google.protobuf.Duration && type(null) == null_type",
    // Errors are absorbed
    "true || 1 / 0 > 0",
    "!(1 / 0 > 0 && false)",
    "[0, 1].exists(x, 1 / x == 1)",
    "![0, 1].all(x, 1 / x == 2)",
  ])("%s", (source) => {
    expect(evaluate(source).value).toBe(true);
  });
});

describe("what has no value says why, in cel-go's words", () => {
  test.each([
    ["1 / (number - 7)", "division by zero"],
    ["1 % (number - 7)", "modulus by zero"],
    ["9223372036854775807 + number", "integer overflow"],
    ["1u - uint(number)", "unsigned integer overflow"],
    ["numbers[3]", "index out of bounds: 3"],
    ["{'a': 1}[text]", "no such key: some text"],
    ["optional.none().value()", "optional.none() dereference"],
    ["any + 1", "no such overload"],
    ["dyn(true) + 1", "no such overload: _+_"],
    ["any.sum()", "no such overload: sum(string)"],
    ["any && true", "no such overload"],
    ["int(text)", "type conversion error from 'string' to 'int'"],
    ["text.substring(20)", "index out of range: 20"],
    ["[].max() > 1", "max called on empty list"],
    [
      "'%d'.format([text])",
      "error during formatting: decimal clause can only be used on integers, was given string",
    ],
    ["'%s %s'.format([1])", "index 1 out of range"],
    ["quantity(text)", /^quantities must match the regular expression/],
    [
      "ip(text)",
      'IP Address "some text" parse error during conversion from string: ParseAddr("some text"): unable to parse IP',
    ],
    [
      "url(text)",
      'URL parse error during conversion from string: parse "some text": invalid URI for request',
    ],
    ["[1, 2].slice(1, 5)", "cannot slice(1, 5), list is length 2"],
    ["timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp overflow"],
  ])("%s", (source, why) => {
    const { value } = evaluate(source);
    expect(value).toBeInstanceOf(CelError);
    expect((value as CelError).message).toEqual(typeof why === "string" ? why : expect.stringMatching(why));
  });
});

describe("what cannot be meant is refused at its column", () => {
  test.each([
    ["text.nope", "1:5: type 'string' does not support field selection"],
    ["nope == 1", "1:1: undeclared reference to 'nope' (in container '')"],
    ["text == number", "1:6: found no matching overload for '_==_' applied to '(string, int)'"],
    ["numbers.all(x, x)", "1:16: expected type 'bool' but found 'int'"],
    ["text.size(1)", "1:10: found no matching overload for 'size' applied to 'string.(int)'"],
    ["[1, 'a']", "1:5: expected type 'int' but found 'string'"],
    ["number.all(x, true)", /cannot be range of a comprehension/],
    ["text.matches('(')", "1:14: invalid matches argument"],
    ["duration('1 day') > duration('1h')", "1:10: invalid duration argument"],
    ["has(text)", "1:5: invalid argument to has() macro"],
    ["numbers.all(x.y, true)", "1:14: argument must be a simple name"],
    ["text +", "1:7: Syntax error: mismatched input '<EOF>' expecting {"],
    ["text number", "1:6: Syntax error: extraneous input 'number' expecting <EOF>"],
    ["if == 1", "1:1: reserved identifier: if"],
    ["text == 'a", "1:9: Syntax error: token recognition error at: '''"],
    ["99999999999999999999", "1:1: invalid int literal"],
    ["cel.bind(x, 1, x)", /undeclared reference to/],
    ["math.greatest(1, 2)", /undeclared reference to/],
    [`${"number + ".repeat(260)}1`, "max recursion depth exceeded"],
  ])("%s", (source, why) => {
    expect(problemsOf(source)).toMatch(typeof why === "string" ? new RegExp(escaped(why)) : why);
  });

  test("the line of source is shown, with a mark beneath the column", () => {
    expect(problemsOf("true &&\n  number == 'é' + 1")).toBe(
      [
        "ERROR: <input>:2:17: found no matching overload for '_+_' applied to '(string, int)'",
        " |   number == 'é' + 1",
        " | .............．..^".replace("．", "\uff0e"),
      ].join("\n"),
    );
  });
});

describe("cost is counted as cel-go does with Kubernetes' settings", () => {
  test.each([
    ["1 + 2 == 3", 2],
    ["number", 1],
    ["number > 1 && text != ''", 3],
    ["text.startsWith('some')", 2],
    ["text in ['a', 'b']", 1],
    ["numbers[0] == 3", 3],
    ["has({'a': 1}.a)", 1],
    ["number > 1 ? text : 'none'", 2],
    ["numbers.all(x, x > 0)", 17],
    ["numbers.exists(x, x == 3)", 11],
    ["numbers.map(x, x * 2).size()", 45],
    ["numbers.sum() == 6", 5],
    ["sets.contains(numbers, [1])", 5],
    ["numbers.sortBy(x, -x)", 75],
    ["quantity('1Gi').isGreaterThan(quantity('1Mi'))", 3],
    ["cidr('10.0.0.0/8').containsIP('10.0.0.1')", 3],
    ["text.matches('^[a-z ]+$')", 4],
    ["(text + text).contains('xt t')", 6],
  ])("%s costs %i", (source, cost) => {
    expect(evaluate(source).cost).toBe(cost);
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
