import { labelValueFaults, nameFaults, qualifiedNameFaults } from "../../names.ts";
import { formats } from "../../schema/formats.ts";
import { listOf, optionalOf, string, struct } from "../check/type.ts";
import { ArrayList } from "../values/lists.ts";
import { none, Opaque, Optional, sizeOf, type Value } from "../values/value.ts";
import { matching } from "./costs.ts";
import { parseRequestUri, UrlError } from "./go-url.ts";
import { global, type Library, member } from "./overload.ts";

export const formatType = struct("kubernetes.NamedFormat");

/** Tells what is wrong with a text; nothing when it has the format. */
type Faults = (text: string) => readonly string[];

const dns1123Label: Faults = (text) =>
  labelFaults(
    text,
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  );
const dns1035Label: Faults = (text) =>
  labelFaults(
    text,
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  );

/** Each with the length of the pattern that checking it counts for. */
const named: Readonly<Record<string, readonly [name: string, faults: Faults, patternLength: number]>> = {
  dns1123Label: ["DNS1123Label", dns1123Label, 30],
  dns1123Subdomain: ["DNS1123Subdomain", nameFaults, 60],
  dns1035Label: ["DNS1035Label", dns1035Label, 30],
  qualifiedName: ["QualifiedName", qualifiedNameFaults, 60],
  dns1123LabelPrefix: ["DNS1123LabelPrefix", ofPrefix(dns1123Label), 30],
  dns1123SubdomainPrefix: ["DNS1123SubdomainPrefix", ofPrefix(nameFaults), 60],
  dns1035LabelPrefix: ["DNS1035LabelPrefix", ofPrefix(dns1035Label), 30],
  labelValue: ["LabelValue", labelValueFaults, 40],
  uri: ["URI", uriFaults, 1000],
  uuid: ["uuid", inSchema("uuid", "does not match the UUID format"), 78],
  byte: ["byte", inSchema("byte", "invalid base64"), 84],
  date: ["date", inSchema("date", "invalid date"), 98],
  datetime: ["datetime", inSchema("date-time", "invalid datetime"), 98],
};

/** Kubernetes' `format.dns1123Label().validate(text)` and `format.named("uuid")`. */
export const namedFormats: Library = {
  ...Object.fromEntries(
    Object.keys(named).map((name) => [
      `format.${name}`,
      [global(`format.${name}`, [], formatType, () => formatNamed(name) ?? none)],
    ]),
  ),
  "format.named": [
    global("format-named", [string], optionalOf(formatType), ([name]) => {
      const format = formatNamed(name as string);
      return format === undefined ? none : new Optional(format);
    }),
  ],
  validate: [
    member(
      "format-validate",
      [formatType, string],
      optionalOf(listOf(string)),
      ([format, text]) => {
        const faults = (format as NamedFormat).faults(text as string);
        return faults.length === 0 ? none : new Optional(new ArrayList(faults));
      },
      { cost: ([format, text]) => matching(sizeOf(text as Value), (format as NamedFormat).patternLength) },
    ),
  ],
};

class NamedFormat extends Opaque {
  readonly typeName = formatType.name;
  readonly name: string;
  readonly faults: Faults;
  readonly patternLength: number;

  constructor([name, faults, patternLength]: readonly [string, Faults, number]) {
    super();
    this.name = name;
    this.faults = faults;
    this.patternLength = patternLength;
  }

  equals(other: NamedFormat): boolean {
    return this.name === other.name;
  }
}

function formatNamed(name: string): NamedFormat | undefined {
  const format = Object.hasOwn(named, name) ? named[name] : undefined;
  return format === undefined ? undefined : new NamedFormat(format);
}

function labelFaults(text: string, pattern: RegExp, rule: string): readonly string[] {
  const faults = text.length > 63 ? ["must be no more than 63 bytes"] : [];
  return pattern.test(text) ? faults : [...faults, rule];
}

/** Of a prefix for generated names: a dash at its end is not the end. */
function ofPrefix(faults: Faults): Faults {
  return (text) => faults(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text);
}

function uriFaults(text: string): readonly string[] {
  try {
    parseRequestUri(text);
    return [];
  } catch (error) {
    if (error instanceof UrlError) return [error.message];
    throw error;
  }
}

function inSchema(format: string, fault: string): Faults {
  return (text) => (formats.get(format)?.(text) === false ? [fault] : []);
}
