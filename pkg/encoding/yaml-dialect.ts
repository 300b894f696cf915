/**
 * How plain scalars of YAML are read as kubectl does (sigs.k8s.io/yaml): `yes` is true, `0755` is 493, `1_000` is 1000,
 * while dates and `12:30:45` stay strings. An integer that a number cannot hold exactly is a bigint.
 */
import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions, Tags, ToStringOptions } from "yaml";

/**
 * Options for the `yaml` package.
 *
 * @param options.lossy - whether an integer beyond 64 bits is read as the nearest number, as kube-apiserver does, and a
 *   key given twice as its last value; else both are errors
 */
export function yamlDialect({ lossy }: { lossy: boolean }) {
  return {
    version: "1.2",
    schema: "core",
    merge: true,
    uniqueKeys: !lossy,
    logLevel: "silent",
    resolveKnownTags: false,
    customTags: (core: Tags) => [
      ...core.filter((tag) => typeof tag === "object" && /:(?:map|seq)$/.test(tag.tag)),
      ...core.filter((tag) => typeof tag === "object" && tag.tag.endsWith(":str")).map(escaping),
      ...[nullTag, boolTag, integerTag(lossy), infinityTag, floatTag],
    ],
  } as const satisfies ParseOptions & DocumentOptions & SchemaOptions & ToStringOptions;
}

const sign = "(?:[-+]_*)?";

const boolTag: ScalarTag = {
  tag: "tag:yaml.org,2002:bool",
  default: true,
  identify: (value) => typeof value === "boolean",
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/,
  resolve: (text) => /^(?:y|on|true)/i.test(text),
  stringify: ({ value }) => String(value),
};

const nullTag: ScalarTag = {
  tag: "tag:yaml.org,2002:null",
  default: true,
  identify: (value) => value === null,
  test: /^(?:~|null|Null|NULL)?$/,
  resolve: () => null,
  stringify: () => "null",
};

const integerTag = (lossy: boolean): ScalarTag => ({
  tag: "tag:yaml.org,2002:int",
  default: true,
  identify: (value) => Number.isInteger(value) || typeof value === "bigint",
  test: new RegExp(
    `^${sign}(?:0_*[xX][0-9a-fA-F_]*[0-9a-fA-F]_*|0_*[bB][01_]*[01]_*|0_*[oO][0-7_]*[0-7]_*|[0-9][0-9_]*)$`,
  ),
  resolve(text, onError) {
    const digits = text.replaceAll("_", "").replace(/^[-+]/, "");
    const octal = /^0[0-7]+$/.test(digits);
    const absolute = octal ? BigInt(`0o${digits}`) : BigInt(digits.toLowerCase());
    const value = text.startsWith("-") ? -absolute : absolute;
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
    if (BigInt.asIntN(64, value) === value) return value;
    if (!lossy) {
      onError(`The integer ${text} is beyond 64 bits and would lose digits; quote it if it is meant as text`);
    }
    return number;
  },
  stringify: ({ value }) => String(value),
});

const infinityTag: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number" && !Number.isFinite(value),
  test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve(text, onError) {
    onError(`${text} is no number that JSON can hold; quote it if it is meant as text`);
    return 0;
  },
};

const floatTag: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number",
  test: new RegExp(
    `^(?:\\.[0-9]+|[-+]_*\\.[0-9_]*[0-9]_*|${sign}[0-9][0-9_]*(?:\\.[0-9_]*)?)(?:[eE][-+]?[0-9][0-9_]*)?$`,
  ),
  resolve(text) {
    const value = Number(text.replaceAll("_", ""));
    return Number.isFinite(value) ? value : text;
  },
  stringify: ({ value }) => String(value),
};

/** Characters that a reader may take for a line break or refuse outside of an escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones meant
const unsafeCharacters = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

function escaping(string: Tags[number]): ScalarTag {
  const core = string as ScalarTag;
  return {
    ...core,
    stringify(item, ...rest) {
      const text = String(item.value);
      if (text.search(unsafeCharacters) === -1)
        return core.stringify?.(item, ...rest) ?? JSON.stringify(text);
      return JSON.stringify(text).replace(
        unsafeCharacters,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    },
  };
}
