import type { Random } from "../runtime/clock.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const dnsLabel = new RegExp(`^${label}$`);
const subdomain = new RegExp(`^${label}(\\.${label})*$`);
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const namePartRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const dnsLabelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** What is wrong with `name` as the name of a namespace, one part of a domain name; empty when nothing is. */
export function dnsLabelFaults(name: string): string[] {
  const faults: string[] = [];
  if (name.length > 63) faults.push("must be no more than 63 bytes");
  if (!dnsLabel.test(name)) faults.push(subdomain.test(name) ? "must not contain dots" : dnsLabelRule);
  return faults;
}

const letterLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const letterLabelRule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** What is wrong with `name` as one of a kind's names or versions; empty when nothing is. */
export function dns1035LabelFaults(name: string): string[] {
  const faults: string[] = [];
  if (name.length > 63) faults.push("must be no more than 63 characters");
  if (!letterLabel.test(name)) faults.push(letterLabelRule);
  return faults;
}

/** What is wrong with `name` as an object's name; empty when nothing is. */
export function nameFaults(name: string): string[] {
  return [
    ...(name.length > 253 ? ["must be no more than 253 characters"] : []),
    ...(subdomain.test(name) ? [] : [subdomainRule]),
  ];
}

/** What is wrong with `name` as a part of a path; empty when nothing is. All names that old Events have pass. */
export function pathSegmentFaults(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

/** What is wrong with `key` as the key of a label or annotation, or as a finalizer; empty when nothing is. */
export function qualifiedNameFaults(key: string): string[] {
  const faults: string[] = [];
  const [first = "", ...rest] = key.split("/");
  if (rest.length > 1) {
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  if (rest.length === 1) {
    if (first === "") faults.push("prefix part must be non-empty");
    else faults.push(...nameFaults(first).map((fault) => `prefix part ${fault}`));
  }
  const part = rest[0] ?? first;
  if (part === "") faults.push("name part must be non-empty");
  else if (part.length > 63) faults.push("name part must be no more than 63 bytes");
  if (!qualifiedPart.test(part)) faults.push(namePartRule);
  return faults;
}

/** What is wrong with `value` as a label's value; empty when nothing is. */
export function labelValueFaults(value: string): string[] {
  const faults: string[] = [];
  if (value.length > 63) faults.push("must be no more than 63 bytes");
  if (!labelValue.test(value)) faults.push(labelValueRule);
  return faults;
}

/** No vowels and no look-alikes, so that no words come out: Kubernetes' alphabet. */
const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A name from `generateName`: at most 58 characters of it and 5 by chance. */
export function generatedName(generateName: string, random: Random): string {
  let suffix = "";
  for (let i = 0; i < 5; i++) suffix += suffixAlphabet[Math.floor(random.next() * suffixAlphabet.length)];
  return `${generateName.slice(0, 58)}${suffix}`;
}
