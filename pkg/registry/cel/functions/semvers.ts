import { bool, int, string, struct } from "../check/type.ts";
import { CelError, Opaque, type Value } from "../values/value.ts";
import { readFirst } from "./costs.ts";
import { type Call, global, type Library, member } from "./overload.ts";

export const semverType = struct("kubernetes.Semver");
const two = [semverType, semverType] as const;

/** Kubernetes' functions on semantic versions. With a second argument true, `v1.2` is read as `1.2.0`. */
export const semvers: Library = {
  semver: [
    global("string_to_semver", [string], semverType, versionFrom, { cost: readFirst }),
    global("string_bool_to_semver", [string, bool], semverType, versionFrom, { cost: readFirst }),
  ],
  isSemver: [
    global("is_semver_string", [string], bool, isVersion, { cost: readFirst }),
    global("is_semver_string_bool", [string, bool], bool, isVersion, { cost: readFirst }),
  ],
  isGreaterThan: [member("semver_is_greater_than", two, bool, ([v, other]) => compared(v, other) > 0)],
  isLessThan: [member("semver_is_less_than", two, bool, ([v, other]) => compared(v, other) < 0)],
  compareTo: [member("semver_compare_to", two, int, ([v, other]) => BigInt(compared(v, other)))],
  major: [member("semver_major", [semverType], int, number(0))],
  minor: [member("semver_minor", [semverType], int, number(1))],
  patch: [member("semver_patch", [semverType], int, number(2))],
};

class Semver extends Opaque {
  readonly typeName = semverType.name;
  /** Major, minor, patch. */
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  equals(other: Semver): boolean {
    return compared(this, other) === 0;
  }
}

function versionFrom([text, normalize]: readonly Value[]): Semver | CelError {
  if (normalize !== true) return parse(text as string);
  const normalized = normal(text as string);
  return normalized instanceof CelError ? normalized : parse(normalized);
}

function isVersion(args: readonly Value[]): Value {
  return versionFrom(args) instanceof Semver;
}

/** Without a leading v and leading zeros, and with three numbers. */
function normal(text: string): string | CelError {
  const [major = "", minor, ...rest] = text.replace(/^v/, "").split(".");
  const parts = [
    major,
    ...(minor === undefined ? [] : [minor]),
    ...(rest.length > 0 ? [rest.join(".")] : []),
  ].map((part) => part.replace(/^0+(?=\d)/, ""));
  if (parts.length < 3 && /[-+]/.test(parts.at(-1) ?? "")) {
    return new CelError("short version cannot contain PreRelease/Build meta data");
  }
  while (parts.length < 3) parts.push("0");
  return parts.join(".");
}

const identifier = /^[0-9A-Za-z-]+$/;

function parse(text: string): Semver | CelError {
  if (text === "") return new CelError("Version string empty");
  const [, core = "", prerelease, build] = /^([^-+]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(text) ?? [];
  const parts = core.split(".");
  if (parts.length !== 3) return new CelError("No Major.Minor.Patch elements found");
  const numbers: bigint[] = [];
  for (const [i, part] of parts.entries()) {
    const which = ["Major", "Minor", "Patch"][i];
    const shown = JSON.stringify(part);
    if (!/^\d+$/.test(part))
      return new CelError(`Invalid character(s) found in ${which?.toLowerCase()} number ${shown}`);
    if (/^0\d/.test(part)) return new CelError(`${which} number must not contain leading zeroes ${shown}`);
    numbers.push(BigInt(part));
  }
  const labels = prerelease === undefined ? [] : prerelease.split(".");
  for (const label of labels) {
    const shown = JSON.stringify(label);
    if (label === "") return new CelError("Prerelease is empty");
    if (!identifier.test(label)) return new CelError(`Invalid character(s) found in prerelease ${shown}`);
    if (/^0\d+$/.test(label)) {
      return new CelError(`Numeric PreRelease version must not contain leading zeroes ${shown}`);
    }
  }
  for (const label of build === undefined ? [] : build.split(".")) {
    if (label === "") return new CelError("Build meta data is empty");
    if (!identifier.test(label)) {
      return new CelError(`Invalid character(s) found in build meta data ${JSON.stringify(label)}`);
    }
  }
  return new Semver(numbers, labels);
}

function compared(left: Value | undefined, right: Value | undefined): number {
  const [a, b] = [left as Semver, right as Semver];
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  // A version comes after those that lead up to it.
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Math.sign(b.prerelease.length - a.prerelease.length);
  }
  for (const [i, label] of a.prerelease.entries()) {
    const other = b.prerelease[i];
    if (other === undefined) return 1;
    const order = labelOrder(label, other);
    if (order !== 0) return order;
  }
  return a.prerelease.length === b.prerelease.length ? 0 : -1;
}

/** Numbers by size and before words, words by their characters. */
function labelOrder(a: string, b: string): number {
  const [numeric, other] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numeric !== other) return numeric ? -1 : 1;
  const [x, y] = numeric ? [BigInt(a), BigInt(b)] : [a, b];
  return x < y ? -1 : x > y ? 1 : 0;
}

function number(index: number): Call {
  return ([version]) => (version as Semver).numbers[index] ?? 0n;
}
