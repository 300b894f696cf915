import { type FieldError, invalid, tooLong } from "../field-error.ts";

/** How many bytes the name of a field manager may have. */
const maxNameBytes = 128;
/** Go's `unicode.IsPrint`. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** What is wrong with `name` as a writer's name at `field`; empty when nothing is. */
export function managerNameFaults(name: string, field: string): FieldError[] {
  const faults: FieldError[] = [];
  if (Buffer.byteLength(name) > maxNameBytes) faults.push(tooLong(field, maxNameBytes));
  let position = 0;
  for (const character of name) {
    if (unprintable.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      faults.push(invalid(field, name, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
  return faults;
}

/** The name of a writer that does not give one: what its User-Agent begins with. Empty when that says nothing. */
export function managerOfUserAgent(userAgent: string): string {
  let name = "";
  let bytes = 0;
  for (const character of userAgent.split("/", 1)[0] ?? "") {
    if (unprintable.test(character)) continue;
    bytes += Buffer.byteLength(character);
    if (bytes > maxNameBytes) break;
    name += character;
  }
  return name;
}
